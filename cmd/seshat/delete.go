package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/kv"
)

func (a *app) deleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "delete KIND NAME...",
		Short: "Delete resources",
		Long: `Delete deletes resources. Their history stays: seshat rollback brings one back.

` + kindsHelp,
		Example:           `  seshat delete sessionrule shop`,
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.delete(cmd.Context(), args[0], args[1:])
		},
	}
}

func (a *app) delete(ctx context.Context, kindName string, names []string) error {
	kind, err := parseKind(kindName)
	if err != nil {
		return err
	}
	return a.withRegistryThatIs(ctx, func(r *registry) error {
		for _, name := range names {
			if err := r.Delete(ctx, kind, name, kv.Any, a.author()); err != nil {
				return registryError("delete "+kindName+" "+name, err)
			}
			fmt.Fprintf(a.stdout, "%s/%s deleted\n", strings.ToLower(string(kind)), name)
		}
		return nil
	})
}
