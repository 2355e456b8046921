package main

import (
	"errors"
	"io/fs"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource/preset"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) presetsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "presets",
		Short: "List and print the presets that ship with Seshat",
		Long: `Presets are complete sets of resources for well-known products. Apply one as it is, or print it into a file and make it
your own.`,
		Example: `  seshat presets
  seshat presets show keycloak
  seshat apply --preset keycloak`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			rows := a.screen().Rows([]terminal.Column{{Title: "PRESET"}, {Title: "FOR"}, {Title: "DESCRIPTION", Least: 20}})
			for _, p := range preset.List() {
				if err := rows.Add([]terminal.Cell{{Text: p.Name}, {Text: p.Title}, {Text: p.Description}}); err != nil {
					return err
				}
			}
			return rows.Flush()
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:               "show NAME",
		Short:             "Print a preset",
		Example:           `  seshat presets show keycloak > keycloak.yaml`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completePresets,
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := preset.Get(args[0])
			if err != nil {
				return presetError(args[0], err)
			}
			_, err = a.stdout.Write(text)
			return err
		},
	})
	return cmd
}

func completePresets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, p := range preset.List() {
		out = append(out, p.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func presetError(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &seshat.Error{
		Kind: seshat.ErrorNotFound, Op: "preset " + strconv.Quote(name), Err: errors.New("there is no such preset"),
		Hint: "seshat presets lists them",
	}
}
