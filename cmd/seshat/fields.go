package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) fieldsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "filter-fields [sessions|exchanges]",
		Short: "List the fields of the filter language",
		Long: `Filter-fields lists the fields that filters of seshat sessions and seshat explore can ask for, with their other names, the
type of their values, and an example.`,
		Example: `  seshat filter-fields
  seshat filter-fields exchanges`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"sessions", "exchanges"},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, fields := range []*filter.Fields{filter.Sessions(), filter.Exchanges()} {
				if len(args) == 1 && args[0] != fields.Dataset {
					continue
				}
				if err := a.listFields(fields); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *app) listFields(fields *filter.Fields) error {
	rows := a.screen().Rows([]terminal.Column{
		{Title: strings.ToUpper(fields.Dataset)}, {Title: "ALSO"}, {Title: "TYPE"}, {Title: "EXAMPLE"}, {Title: "MEANING", Least: 20},
	})
	for _, f := range fields.All() {
		name := f.Name
		if f.Family {
			name += ".NAME"
		}
		err := rows.Add([]terminal.Cell{
			{Text: name},
			{Text: strings.Join(f.Aliases, ", ")},
			{Text: f.Type.String()},
			{Text: f.Example},
			{Text: strings.ReplaceAll(f.Doc, "`", "")},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}
