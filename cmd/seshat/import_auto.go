package main

import (
	"context"

	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// autoBy is who adds a rule that was set by itself, in its history.
const autoBy = "auto-identifier"

// autoIdentify adds session rules for hosts where Authorization identifies sessions and no rule found anything. They
// are resources like any other. One that somebody changed or deleted is left alone. Added is told of each.
func (a *app) autoIdentify(ctx context.Context, r resource.Adder, rules *rule.Ruleset, hosts []string, added func(host, rule string)) error {
	if !rules.AutoIdentifier() {
		return nil
	}
	for _, host := range hosts {
		auto := identify.AutoRule(host)
		isNew, err := resource.AddNew(ctx, r, auto, resource.Author{By: autoBy, At: a.now()})
		if err != nil {
			return registryError("add session rule "+auto.Metadata.Name, err)
		}
		if isNew {
			added(host, auto.Metadata.Name)
		}
	}
	return nil
}

// noteAuto says that a session rule was added.
func (a *app) noteAuto(host, rule string) {
	a.note("Authorization identifies sessions of %s from now on: session rule %s was added (seshat get and seshat delete "+
		"sessionrule %[2]s show and remove it).", host, rule)
}
