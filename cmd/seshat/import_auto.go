package main

import (
	"context"
	"errors"

	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

// autoBy is who adds a rule that was set by itself, in its history.
const autoBy = "auto-identifier"

// autoIdentify adds session rules for hosts where Authorization identifies sessions and no rule found anything. They
// are resources like any other. One that somebody changed or deleted is left alone.
func (a *app) autoIdentify(ctx context.Context, rules *rule.Ruleset, hosts []string) error {
	if !rules.AutoIdentifier() || len(hosts) == 0 {
		return nil
	}
	return a.withRegistry(ctx, func(r *registry) error {
		for _, host := range hosts {
			auto := identify.AutoRule(host)
			if _, err := r.History(ctx, auto.Kind, auto.Metadata.Name); !errors.Is(err, kv.ErrNotFound) {
				if err != nil {
					return err
				}
				continue
			}
			key := resource.Key(auto.Kind, auto.Metadata.Name)
			_, err := r.Apply(ctx, []resource.Parsed{{Resource: auto}}, resource.ApplyOptions{
				Author:   resource.Author{By: autoBy, At: a.now()},
				Expected: map[string]kv.Revision{key: kv.None},
			})
			if err != nil {
				return registryError("add session rule "+auto.Metadata.Name, err)
			}
			a.note("Authorization identifies sessions of %s from now on: session rule %s was added (seshat get and seshat delete "+
				"sessionrule %[2]s show and remove it).", host, auto.Metadata.Name)
		}
		return nil
	})
}
