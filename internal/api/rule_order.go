package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/rule"
)

func (s *server) registerRuleOrder() {
	const path = "/api/v1/session-rules/order"
	register(s, s.operation("GET", path, "get-rule-order", tagRules, "List session rules in the order in which they are tried"), s.getRuleOrder)

	op := s.operation("POST", path, "order-rules", tagRules, "Put session rules in an order")
	op.Description += " Sets as few priorities as it takes, all of them or none. The list names every session rule; with revisions, only when none of those rules has changed meanwhile."
	register(s, op, s.orderRules)

	op = s.operation("POST", "/api/v1/resources/{kind}/{name}/enabled", "enable-resource", tagResources, "Switch a resource on or off")
	op.Description += " Nothing else of it changes. With If-Match only when it still has that revision."
	register(s, op, s.enableResource)
}

// orderedRule is a session rule as it is stored, with its place.
type orderedRule struct {
	stored resource.Stored
	rule.Ordered
}

// sessionRules are all session rules in the order in which they are tried. Those that are switched off have their place.
func (s *server) sessionRules(ctx context.Context) ([]orderedRule, error) {
	list, err := s.Registry.List(ctx, seshat.KindSessionRule)
	if err != nil {
		return nil, resourceError("list session rules", err)
	}
	out := make([]orderedRule, 0, len(list))
	for _, one := range list {
		spec, ok := one.Resource.Spec.(*seshat.SessionRuleSpec)
		if !ok {
			continue
		}
		priority := rule.DefaultPriority
		if spec.Priority != nil {
			priority = *spec.Priority
		}
		out = append(out, orderedRule{one, rule.Ordered{Name: one.Name, Priority: priority}})
	}
	slices.SortFunc(out, func(a, b orderedRule) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
	})
	return out, nil
}

func (s *server) getRuleOrder(ctx context.Context, _ *struct{}) (*output[wire.RulesOrdered], error) {
	list, err := s.sessionRules(ctx)
	if err != nil {
		return nil, err
	}
	out := &output[wire.RulesOrdered]{wire.RulesOrdered{Items: make([]wire.OrderedRule, len(list))}}
	for i := range list {
		out.Body.Items[i] = wire.OrderedRule{Name: list[i].Name, Priority: list[i].Priority, Revision: uint64(list[i].stored.Revision)}
	}
	return out, nil
}

type ruleOrderInput struct {
	Authored
	Body wire.RuleOrder
}

func (s *server) orderRules(ctx context.Context, in *ruleOrderInput) (*output[wire.RulesOrdered], error) {
	const op = "order the session rules"
	current, err := s.sessionRules(ctx)
	if err != nil {
		return nil, err
	}
	list, err := inOrder(op, current, &in.Body)
	if err != nil {
		return nil, err
	}
	o := resource.ApplyOptions{Author: s.author(ctx, &in.Authored), Expected: map[string]kv.Revision{}}
	places := make([]rule.Ordered, len(list))
	for i := range list {
		places[i] = list[i].Ordered
		o.Expected[resource.Key(seshat.KindSessionRule, list[i].Name)] = list[i].stored.Revision
	}
	out := &output[wire.RulesOrdered]{wire.RulesOrdered{Items: make([]wire.OrderedRule, len(list))}}
	var parsed []resource.Parsed
	for i, priority := range rule.Reorder(places) {
		item := wire.OrderedRule{Name: list[i].Name, Priority: priority, Revision: uint64(list[i].stored.Revision)}
		if item.Changed = priority != list[i].Priority; item.Changed {
			changed := *list[i].stored.Resource
			spec := *changed.Spec.(*seshat.SessionRuleSpec) //nolint:forcetypeassert // only those are in the list
			spec.Priority, changed.Spec = &priority, &spec
			parsed = append(parsed, resource.Parsed{Resource: changed})
		}
		out.Body.Items[i] = item
	}
	if len(parsed) == 0 {
		return out, nil
	}
	outcomes, err := s.Registry.Apply(ctx, parsed, o)
	if err != nil {
		return nil, changedMeanwhile(resourceError(op, err), len(in.Body.Revisions) > 0)
	}
	noteOutcomes(ctx, outcomes)
	for _, outcome := range outcomes {
		at := slices.IndexFunc(out.Body.Items, func(r wire.OrderedRule) bool { return r.Name == outcome.Name })
		out.Body.Items[at].Revision = uint64(outcome.Revision)
	}
	return out, nil
}

// inOrder puts the rules that there are in the order that is asked for.
func inOrder(op string, current []orderedRule, want *wire.RuleOrder) ([]orderedRule, error) {
	left := make(map[string]orderedRule, len(current))
	for _, one := range current {
		left[one.Name] = one
	}
	conflict := func(status bool, format string, args ...any) error {
		return changedMeanwhile(&seshat.Error{
			Kind: seshat.ErrorConflict, Op: op, Err: fmt.Errorf(format, args...), Hint: "list the session rules again",
		}, status)
	}
	out := make([]orderedRule, 0, len(current))
	seen := map[string]bool{}
	for _, name := range want.Names {
		if seen[name] {
			return nil, usage(op, "a rule is named twice: "+name, "name each one once")
		}
		seen[name] = true
		one, there := left[name]
		if !there {
			return nil, conflict(false, "there is no session rule %s", name)
		}
		delete(left, name)
		if revision, said := want.Revisions[name]; said && revision != uint64(one.stored.Revision) {
			return nil, conflict(true, "the session rule %s has revision %d, not %d", name, one.stored.Revision, revision)
		}
		out = append(out, one)
	}
	if len(left) > 0 {
		names := make([]string, 0, len(left))
		for name := range left {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, conflict(false, "the list lacks %s", strings.Join(names, ", "))
	}
	return out, nil
}

// changedMeanwhile gives a conflict the status of a condition that does not hold, where there was one.
func changedMeanwhile(err error, conditional bool) error {
	if err == nil || !conditional || seshat.KindOfError(err) != seshat.ErrorConflict {
		return err
	}
	p := wire.NewProblem(err)
	p.Status, p.Title = http.StatusPreconditionFailed, http.StatusText(http.StatusPreconditionFailed)
	return p
}

type enableInput struct {
	Named
	Authored
	Conditions
	Body wire.Enabling
}

func (s *server) enableResource(ctx context.Context, in *enableInput) (*outcomeOutput, error) {
	kind, err := parseKind(in.Kind)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	key := resource.Key(kind, in.Name)
	op := "switch " + key
	stored, err := s.Registry.Get(ctx, kind, in.Name)
	if err != nil {
		return nil, resourceError(op, err)
	}
	if expected == kv.Any {
		expected = stored.Revision // what is switched is what was read
	}
	noted(ctx).subject, noted(ctx).before = key, uint64(stored.Revision)
	changed := *stored.Resource
	if changed.Spec = withEnabled(changed.Spec, in.Body.Enabled); changed.Spec == nil {
		return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("resources of this kind cannot be switched off")}
	}
	outcomes, err := s.Registry.Apply(ctx, []resource.Parsed{{Resource: changed, File: key}}, resource.ApplyOptions{
		Author: s.author(ctx, &in.Authored), Expected: map[string]kv.Revision{key: expected},
	})
	if err != nil {
		return nil, in.changed(resourceError(op, err))
	}
	noted(ctx).after, noted(ctx).detail = uint64(outcomes[0].Revision), switchedText(in.Body.Enabled)
	return &outcomeOutput{ETag: etag(outcomes[0].Revision), Body: newOutcomes(outcomes)[0]}, nil
}

// switchedText says in the audit log how a resource was switched.
func switchedText(on bool) string {
	if on {
		return "switched on"
	}
	return "switched off"
}

// withEnabled is a copy of spec that is switched on or off; nil for one that cannot be. That it is on, which is the
// default, is said by nothing.
func withEnabled(spec seshat.Spec, enabled bool) seshat.Spec {
	set := func(to **bool) {
		switch {
		case !enabled:
			off := false
			*to = &off
		case *to != nil && !**to:
			*to = nil
		}
	}
	switch s := spec.(type) {
	case *seshat.SessionRuleSpec:
		out := *s
		set(&out.Enabled)
		return &out
	case *seshat.ContextParameterSpec:
		out := *s
		set(&out.Enabled)
		return &out
	case *seshat.FlowSpec:
		out := *s
		set(&out.Enabled)
		return &out
	case *seshat.MaskRuleSpec:
		out := *s
		set(&out.Enabled)
		return &out
	case *seshat.LimitSpec:
		out := *s
		set(&out.Enabled)
		return &out
	case *seshat.JWTValidationSpec:
		out := *s
		set(&out.Enabled)
		return &out
	default:
		return nil
	}
}
