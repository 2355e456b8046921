package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/terminal"
)

const kindsHelp = `KIND is sessionrule, contextparameter, flow, maskrule, limit, jwtvalidation or settings, in singular or plural and in any case.`

type getOptions struct {
	output   string
	revision uint64
}

func (a *app) getCommand() *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:   "get [KIND [NAME]]",
		Short: "Print resources",
		Long: `Get prints the resources of all kinds, of one kind, or one resource. Yaml and json can be applied again.

` + kindsHelp,
		Example: `  seshat get
  seshat get sessionrules -o yaml
  seshat get sessionrule shop -o json
  seshat get sessionrule shop --revision 3 -o yaml`,
		Args:              cobra.MaximumNArgs(2),
		ValidArgsFunction: a.completeResources,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.get(cmd.Context(), args, &o)
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`form` of the output: table, yaml or json (default yaml for one resource, else table)")
	completeFlag(cmd, "output", "table", "yaml", "json")
	cmd.Flags().Uint64Var(&o.revision, "revision", 0, "an older `revision` of the resource; see seshat history")
	return cmd
}

func (a *app) get(ctx context.Context, args []string, o *getOptions) error {
	output := o.output
	if output == "" {
		output = "table"
		if len(args) == 2 {
			output = "yaml"
		}
	}
	if err := checkWord("--output", output, "table", "yaml", "json"); err != nil {
		return err
	}
	var kind seshat.Kind
	if len(args) > 0 {
		var err error
		if kind, err = parseKind(args[0]); err != nil {
			return err
		}
	}
	if o.revision != 0 && len(args) < 2 {
		return usageError("--revision", "revisions are those of one resource", "name its kind and the resource")
	}
	var found []resource.Stored
	err := a.withRegistryThatIs(ctx, func(r *registry) error {
		var err error
		switch {
		case o.revision != 0:
			var one resource.Stored
			if one, err = revisionOf(ctx, r, kind, args[1], kv.Revision(o.revision)); err == nil {
				found = append(found, one)
			}
		case len(args) == 2:
			var one resource.Stored
			if one, err = r.Get(ctx, kind, args[1]); err == nil {
				found = append(found, one)
			}
		default:
			found, err = r.List(ctx, kind)
		}
		return err
	})
	if err != nil {
		return registryError("get "+strings.Join(args, " "), err)
	}
	if output == "table" {
		return a.resourceTable(found)
	}
	resources := make([]seshat.Resource, len(found))
	for i := range found {
		resources[i] = *found[i].Resource
	}
	text, err := resource.Marshal(resources, resource.Format(output))
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(text)
	return err
}

// revisionOf is an older revision of a resource.
func revisionOf(ctx context.Context, r *registry, kind seshat.Kind, name string, revision kv.Revision) (resource.Stored, error) {
	history, err := r.History(ctx, kind, name)
	if err != nil {
		return resource.Stored{}, err
	}
	for _, one := range history {
		if one.Revision == revision && one.Resource != nil {
			return one, nil
		}
	}
	return resource.Stored{}, kv.ErrNotFound
}

func (a *app) resourceTable(found []resource.Stored) error {
	if len(found) == 0 {
		a.note("There are none. Apply some with: seshat apply -f FILE, or see seshat presets")
		return nil
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "KIND"},
		{Title: "NAME"},
		{Title: "REVISION", Right: true},
		{Title: "CHANGED"},
		{Title: "BY", Least: 4},
		{Title: "DESCRIPTION", Least: 10},
	})
	for i := range found {
		f := &found[i]
		err := rows.Add([]terminal.Cell{
			{Text: strings.ToLower(string(f.Kind))},
			{Text: f.Name},
			{Text: strconv.FormatUint(uint64(f.Revision), 10)},
			{Text: terminal.Time(f.At)},
			{Text: f.By},
			{Text: f.Resource.Metadata.Description},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}
