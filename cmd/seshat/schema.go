package main

import (
	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/resource"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of resources",
		Long:    `Schema prints the JSON Schema (2020-12) of resources. Editors complete and check files of resources with it.`,
		Example: `  seshat schema > seshat.schema.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(resource.Schema())
			return err
		},
	}
	return cmd
}
