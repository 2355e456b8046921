package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/preset"
)

type applyOptions struct {
	resourceFiles
	presets []string
	dryRun  bool
}

func (a *app) applyCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Create or update resources",
		Long: `Apply creates or updates the resources in files: all of them, or none when one has a fault. They are checked together
with the resources that are stored already. They count for what is imported from then on.

A preset that ships with Seshat is applied by name; see seshat presets.`,
		Example: `  seshat apply -f rules.yaml
  seshat apply -f rules/ --dry-run
  seshat apply --preset keycloak
  seshat presets show keycloak | sed s/example/shop/ | seshat apply -f -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = append(o.files, args...)
			err := a.apply(cmd.Context(), &o)
			if faults := (seshat.Faults{}); errors.As(err, &faults) {
				a.printError(err)
				a.complain("nothing was applied")
				return errReported
			}
			return err
		},
	}
	o.flags(cmd)
	cmd.Flags().StringArrayVar(&o.presets, "preset", nil, "`name` of a preset; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("preset", completePresets) // fails only for a flag that is not there
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "check, and say what would be done, without doing it")
	return cmd
}

func (a *app) apply(ctx context.Context, o *applyOptions) error {
	var parsed []resource.Parsed
	for _, name := range o.presets {
		inside, err := preset.Parse(name)
		if err != nil {
			return presetError(name, err)
		}
		parsed = append(parsed, inside...)
	}
	if len(o.files) > 0 || len(o.presets) == 0 {
		inside, err := a.readResources(o.files)
		if err != nil {
			return err
		}
		parsed = append(parsed, inside...)
	}
	if o.dryRun && !a.hasResources() { // nothing is done, so no directory is made
		empty, err := os.MkdirTemp("", "seshat-dry-run-*")
		if err != nil {
			return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "apply", Err: err}
		}
		defer func() { _ = os.RemoveAll(empty) }()
		elsewhere := *a
		elsewhere.data = empty
		a = &elsewhere
	}
	return a.withRegistry(ctx, func(r *registry) error {
		outcomes, err := r.Apply(ctx, parsed, resource.ApplyOptions{Author: a.author(), DryRun: o.dryRun})
		if err != nil {
			return registryError("apply", err)
		}
		for _, outcome := range outcomes {
			dry := ""
			if o.dryRun {
				dry = " (dry run)"
			}
			fmt.Fprintf(a.stdout, "%s/%s %s%s\n", strings.ToLower(string(outcome.Kind)), outcome.Name, outcome.Action, dry)
		}
		return nil
	})
}
