package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) historyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history KIND NAME",
		Short: "List the revisions of a resource",
		Long: `History lists the revisions of a resource, newest first: what was done, when, and by whom. The last ` +
			strconv.Itoa(kv.MaxHistory) + ` are kept.

` + kindsHelp,
		Example: `  seshat history sessionrule shop
  seshat get sessionrule shop --revision 3 -o yaml
  seshat rollback sessionrule shop --revision 3`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.history(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *app) history(ctx context.Context, kindName, name string) error {
	kind, err := parseKind(kindName)
	if err != nil {
		return err
	}
	var revisions []resource.Stored
	err = a.withRegistryThatIs(ctx, func(r *registry) (err error) {
		revisions, err = r.History(ctx, kind, name)
		return err
	})
	if err != nil {
		return registryError("history of "+kindName+" "+name, err)
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "REVISION", Right: true}, {Title: "ACTION"}, {Title: "WHEN"}, {Title: "BY"},
	})
	for i := len(revisions) - 1; i >= 0; i-- {
		r := &revisions[i]
		err := rows.Add([]terminal.Cell{
			{Text: strconv.FormatUint(uint64(r.Revision), 10)}, {Text: string(r.Action)}, {Text: terminal.Time(r.At)}, {Text: r.By},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}

func (a *app) rollbackCommand() *cobra.Command {
	var revision, ifRevision uint64
	cmd := &cobra.Command{
		Use:   "rollback KIND NAME --revision N",
		Short: "Bring back an older revision of a resource",
		Long: `Rollback makes the content of an older revision of a resource the newest one, also of a resource that was deleted. It is
checked like anything that is applied. With --if-revision nothing is done when somebody has changed it since.

` + kindsHelp,
		Example:           `  seshat rollback sessionrule shop --revision 3`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			has := kv.Any
			if cmd.Flags().Changed("if-revision") {
				has = kv.Revision(ifRevision)
			}
			return a.rollback(cmd.Context(), args[0], args[1], kv.Revision(revision), has)
		},
	}
	cmd.Flags().Uint64Var(&revision, "revision", 0, "the `revision` to bring back; see seshat history")
	cmd.Flags().Uint64Var(&ifRevision, "if-revision", 0, "only if this `revision` is the newest one; 0 if it is deleted")
	return cmd
}

func (a *app) rollback(ctx context.Context, kindName, name string, revision, expected kv.Revision) error {
	kind, err := parseKind(kindName)
	if err != nil {
		return err
	}
	if revision == 0 {
		return usageError("--revision", "which revision is not said", "seshat history "+kindName+" "+name+" lists them")
	}
	return a.withRegistryThatIs(ctx, func(r *registry) error {
		outcome, err := r.Rollback(ctx, kind, name, revision, expected, a.author())
		if err != nil {
			return registryError("roll back "+kindName+" "+name, err)
		}
		fmt.Fprintf(a.stdout, "%s/%s %s\n", strings.ToLower(string(kind)), name, outcome.Action)
		return nil
	})
}
