package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) validateCommand() *cobra.Command {
	var files resourceFiles
	cmd := &cobra.Command{
		Use:   "validate -f FILE",
		Short: "Check files of resources",
		Long: `Validate checks resources in files and prints every fault with file, line, column, field and hint. It needs no data
directory: files are checked together with each other, not with what is stored. For that, there is seshat apply --dry-run.`,
		Example: `  seshat validate -f rules.yaml
  seshat validate -f rules/ -f masks.yaml`,
		RunE: func(_ *cobra.Command, args []string) error {
			parsed, err := a.readResources(append(files.files, args...))
			if err != nil {
				return err
			}
			if faults := resource.Validate(parsed, compile); len(faults) > 0 {
				return faults
			}
			for i := range parsed {
				r := &parsed[i].Resource
				fmt.Fprintf(a.stdout, "%s/%s valid\n", strings.ToLower(string(r.Kind)), terminal.Escape(r.Metadata.Name))
			}
			return nil
		},
	}
	files.flags(cmd)
	return cmd
}
