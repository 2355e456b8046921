package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/ruletest"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) testCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test FILE...",
		Short: "Run tests of rules",
		Long: `Test runs tests of rules that are written as data: exchanges, and what must and must not be found in them. A test that
fails says where the expectation is (file, line, column), what was wanted, what came, and how it came to that. It needs
no data directory: the files name the rules they are about.

The exit code is 0 when every test passes and 1 when one fails or a file has a fault.`,
		Example: `  seshat test rules_test.yaml
  seshat test tests/*.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.test(args)
		},
	}
}

func (a *app) test(files []string) error {
	digester := protect.NewKeyring(a.now()).Digester() // tests cannot depend on the key
	options := ruletest.Options{
		ReadFile: func(name string) ([]byte, error) { return a.readInput(name, resource.MaxInput) },
		Hasher:   digester,
		Correlate: func(rules *rule.Ruleset, exchanges []seshat.Exchange) ([]seshat.SessionID, error) {
			return correlateAll(newEngines(rules, digester), exchanges), nil
		},
	}
	good := true
	var out strings.Builder
	for _, file := range files {
		report := ruletest.Run(file, options)
		good = good && report.OK()
		if err := report.WriteText(&out); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprint(a.stdout, terminal.EscapeLines(out.String())); err != nil {
		return err
	}
	if !good {
		return errReported
	}
	return nil
}
