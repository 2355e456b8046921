package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

// parseKind reads the name of a kind as people write it: in any case, in singular or plural.
func parseKind(text string) (seshat.Kind, error) {
	var names []string
	for _, kind := range resource.Kinds() {
		name := strings.ToLower(string(kind))
		names = append(names, name)
		if strings.EqualFold(text, name) || strings.EqualFold(text, name+"s") {
			return kind, nil
		}
	}
	return "", usageError("", `"`+text+`" is no kind of resource`, "one of "+strings.Join(names, ", "))
}

// completeResources offers a kind first, then the names of its resources.
func (a *app) completeResources(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp
	if len(args) == 0 {
		var out []string
		for _, kind := range resource.Kinds() {
			out = append(out, strings.ToLower(string(kind)))
		}
		return out, directive
	}
	kind, err := parseKind(args[0])
	if err != nil || a.checkGlobals() != nil {
		return nil, directive
	}
	ctx, stop := context.WithTimeout(cmd.Context(), completeWait)
	defer stop()
	var out []string
	_ = a.withRegistryThatIs(ctx, func(r *registry) error { // without an answer nothing is offered
		all, err := r.List(ctx, kind)
		for i := range all {
			out = append(out, all[i].Name)
		}
		return err
	})
	return out, directive
}
