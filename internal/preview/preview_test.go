package preview_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/preview"
)

// TestGoodRule tries the rule that the shop needs.
func TestGoodRule(t *testing.T) {
	s := newShop(20, 30)
	r := try(t, s.exchanges, "", sessionRule("shop", `identifiers: [{header: X-Visit}, {in: response, extract: {location: header, key: X-Visit}}]`))
	if r.Exchanges != 600 || r.Successful != 520 || codes(r) != "" || r.Verdict.Grade != preview.GradeGood {
		t.Errorf("%d exchanges, %d successful, warnings %q, verdict %+v", r.Exchanges, r.Successful, codes(r), r.Verdict)
	}
	one := r.Rules[0]
	if one.Name != "shop" || !one.Draft || one.InScope != 600 || one.Found != 600 || one.Decides != 600 || one.FoundSuccessful != 520 || one.Successful != 520 {
		t.Errorf("the rule: %+v", one)
	}
	if id := one.Identifiers[0]; id.Found != 580 || id.Values != 20 || len(id.Missed) != 1 || id.Missed[0].Reason != "absent" || id.Missed[0].Count != 20 || id.Where != "request header X-Visit" {
		t.Errorf("the first identifier: %+v", id)
	}
	if r.After.Sessions != 20 || r.After.Median != 30 || r.After.Identified != 600 || r.After.OneExchange != 0 {
		t.Errorf("the sessions after: %+v", r.After)
	}
	if len(r.Sessions) != 5 || r.Sessions[0].IdentifiedBy != "shop" || r.Sessions[0].Exchanges != 30 || len(r.Sessions[0].Masked) != 1 || r.Sessions[0].Addresses != 1 {
		t.Errorf("examples of sessions: %+v", r.Sessions)
	}
	if len(r.Found) != 5 || r.Found[0].Masked == "" || r.Found[0].Session == "" || !strings.Contains(r.Found[0].Explains[0], "identifier 0: ") {
		t.Errorf("examples of what is found: %+v", r.Found)
	}
	if !strings.HasPrefix(r.Verdict.Text, "shop finds a client session ID in 100 % of the 520 successful exchanges in its scope, and there would be 20 sessions in place of ") {
		t.Errorf("verdict: %s", r.Verdict.Text)
	}
	s.hidesSecrets(t, r)
}

// TestWarnings tries rules that look at what is no session ID.
func TestWarnings(t *testing.T) {
	s := newShop(20, 30)
	f := func(name, spec, want, verdict string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			r := try(t, s.exchanges, "", sessionRule("shop", spec))
			if codes(r) != want {
				t.Errorf("warnings %q; want %q\n%+v", codes(r), want, r.Warnings)
			}
			if !strings.Contains(r.Verdict.Text, verdict) {
				t.Errorf("verdict %q; want %q in it", r.Verdict.Text, verdict)
			}
			s.hidesSecrets(t, r)
		})
	}
	f("a nonce", `identifiers: [{header: X-Nonce}]`, "bad seen-once", "a value for each request, not for each session")
	f("a constant", `identifiers: [{header: X-Build}]`, "bad constant", "everybody would be in one session")
	f("a guessable value", `identifiers: [{header: X-Pin}]`, "warning short", "can be guessed")
	f("another service", `scope: {services: [pay]}, identifiers: [{header: X-Visit}]`, "bad not-in-scope", "services are shop; environments prod")
	f("a misspelt name", `identifiers: [{header: X-Visitor}]`, "bad never-found", "there is no request header X-Visitor")
	f("a condition that never holds", `identifiers: [{header: X-Visit, conditions: [{location: header, key: X-Mobile}]}]`, "bad never-found", "the condition")
	f("a transformation that does not apply", `identifiers: [{extract: {location: header, key: X-Visit}, transformations: [{jwtClaim: sid}]}]`, "bad never-found", "jwtClaim sid")
	f("switched off", `enabled: false, identifiers: [{header: X-Visit}]`, "note disabled", "")
	f("two that find the same", `identifiers: [{header: X-Visit}, {extract: {location: header, key: {startsWith: X-Vis}}}]`, "note equal-values", "")
}

const declaredUser = "---\n{apiVersion: seshat/v1, kind: ContextParameter, metadata: {name: person}, spec: {type: user, extract: {location: header, key: X-User}}}\n"

// TestSeveralUsers tries what all users of a tenant share.
func TestSeveralUsers(t *testing.T) {
	s := newShop(20, 30)
	r := try(t, s.exchanges, declaredUser, sessionRule("shop", `identifiers: [{header: X-Tenant}]`))
	if r.Verdict.Grade != preview.GradeBad || !strings.Contains(codes(r), "bad several-users") || !strings.Contains(codes(r), "warning many-addresses") {
		t.Errorf("warnings %q, verdict %+v", codes(r), r.Verdict)
	}
	for _, w := range r.Warnings {
		if w.Code == preview.WarnSeveralUsers && (w.Count != 2 || len(w.Examples) != 2 || w.Index == nil || *w.Index != 0 || w.Resource != "SessionRule/shop") {
			t.Errorf("the warning: %+v", w)
		}
	}
	// The key of an application is shared by its users, and meant to be.
	r = try(t, s.exchanges, declaredUser, sessionRule("shop", `identifiers: [{header: X-Tenant, type: apiKey}]`))
	if strings.Contains(codes(r), "several-users") || strings.Contains(codes(r), "many-addresses") {
		t.Errorf("an API key: %q", codes(r))
	}
}

// TestOrder tries a rule that comes after another one, and then the other order.
func TestOrder(t *testing.T) {
	s := newShop(5, 10)
	inForce := sessionRule("visits", `priority: 10, identifiers: [{header: X-Visit}]`)
	r := try(t, s.exchanges, inForce, sessionRule("tokens", `priority: 20, identifiers: [{jwtClaim: {header: X-Token, claim: sid}}]`))
	if codes(r) != "warning never-first" || r.Rules[0].Name != "visits" || r.Rules[0].Draft || r.Rules[1].Decides != 0 || r.Rules[1].Found != 45 {
		t.Errorf("warnings %q, rules %+v", codes(r), r.Rules)
	}
	if r.Moves.Regrouped != 0 || r.Moves.Split != 0 || r.Moves.Joined != 0 {
		t.Errorf("moves %+v", r.Moves)
	}
	r = try(t, s.exchanges, inForce, sessionRule("tokens", `priority: 5, identifiers: [{jwtClaim: {header: X-Token, claim: sid}}]`))
	if codes(r) != "" || r.Rules[0].Name != "tokens" || r.Rules[0].Decides != 45 || r.Moves.Regrouped != 45 {
		t.Errorf("warnings %q, rules %+v, moves %+v", codes(r), r.Rules, r.Moves)
	}
	var words []string
	for _, by := range r.IdentifiedBy {
		words = append(words, strings.Join([]string{by.Name, by.Origin}, " "))
	}
	if text := strings.Join(words, ", "); !strings.HasPrefix(text, "tokens rule") || !strings.Contains(text, "visits rule") {
		t.Errorf("identified by %s", text)
	}
	s.hidesSecrets(t, r)
}

func TestRemove(t *testing.T) {
	s := newShop(5, 10)
	inForce := sessionRule("visits", `identifiers: [{header: X-Visit}]`)
	r := try(t, s.exchanges, inForce, "", "SessionRule/visits", "SessionRule/nothing")
	if codes(r) != "warning loses-identified, note no-such-resource" || len(r.Rules) != 0 || r.After.Identified != 0 || r.Before.Identified != 50 {
		t.Errorf("warnings %q, before %+v, after %+v", codes(r), r.Before, r.After)
	}
	r = try(t, s.exchanges, inForce, inForce)
	if codes(r) != "note no-change" || r.Verdict.Grade != preview.GradeNote {
		t.Errorf("warnings %q, verdict %+v", codes(r), r.Verdict)
	}
}

func TestFaults(t *testing.T) {
	s := newShop(2, 2)
	f := func(inForce, add, want string) {
		t.Helper()
		_, err := preview.Try(context.Background(), newInput(t, s.exchanges, inForce, add))
		var faults seshat.Faults
		if !errors.As(err, &faults) || !strings.Contains(faults[0].String(), want) {
			t.Errorf("faults %v; want %q", err, want)
		}
	}
	f("", sessionRule("shop", `identifiers: [{extract: {location: header, key: {matches: "("}}}]`), "SessionRule/shop: spec.identifiers[0].extract.key.matches")
	f(declared("MaskRule", "visits", "location: header, key: X-Visit"), sessionRule("shop", `identifiers: [{header: X-Visit}]`), "a masked parameter cannot be an identifier")
	f(sessionRule("shop", `identifiers: [{header: X-Visit}]`), declared("MaskRule", "visits", "location: header, key: X-Visit"), "SessionRule/shop: spec.identifiers[0]")

	twice := newInput(t, s.exchanges, "", sessionRule("a", `identifiers: [{header: A}]`))
	twice.Add = append(twice.Add, twice.Add...)
	if _, err := preview.Try(context.Background(), twice); err == nil || !strings.Contains(err.Error(), "two resources called SessionRule/a") {
		t.Errorf("one resource twice: %v", err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := preview.Try(ended, newInput(t, s.exchanges, "", sessionRule("a", `identifiers: [{header: A}]`))); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
	r := try(t, nil, "", sessionRule("a", `identifiers: [{header: A}]`))
	if codes(r) != "note no-exchanges" || r.Verdict.Grade != preview.GradeNote {
		t.Errorf("without exchanges: %q, %+v", codes(r), r.Verdict)
	}
}

// TestNothingIsShown tries drafts that ask for secrets to be shown.
func TestNothingIsShown(t *testing.T) {
	s := newShop(3, 20)
	for _, add := range []string{
		sessionRule("shop", `identifiers: [{header: X-Visit, obfuscate: false, conditions: [{location: header, key: X-Nonce, value: {startsWith: "zz"}}]}]`),
		sessionRule("shop", `identifiers: [{header: X-Visit, obfuscate: false}, {header: X-Token, obfuscate: false}]`),
		sessionRule("shop", `identifiers: [{extract: {location: pathSegment, segment: 1}, obfuscate: false}]`),
		declared("ContextParameter", "visit", "extract: {location: header, key: X-Visit}"),
		declared("ContextParameter", "visit", "type: user, extract: {location: header, key: X-Visit}"),
		declared("ContextParameter", "visit", "type: role, extract: {location: header, key: X-Token}"),
		declared("ContextParameter", "visit", "type: user, hash: true, extract: {location: header, key: X-Visit}"),
		declared("ContextParameter", "reset", "type: user, extract: {location: pathSegment, segment: 1}"),
		declared("MaskRule", "all", `location: header, key: {exists: true}`),
		declared("Flow", "any", `type: billing, endpoints: ["GET */reset/*"]`),
		declared("Limit", "all", `key: [session], count: 1, window: 1h`),
	} {
		for _, show := range []bool{false, true} {
			in := newInput(t, s.exchanges, "", add)
			in.ShowValues = show
			s.hidesSecrets(t, run(t, in))
		}
	}
	// The path segment is shown by neither rules, also where the draft takes away what masks it now.
	inForce := sessionRule("reset", `identifiers: [{extract: {location: pathSegment, segment: 1}}]`)
	s.hidesSecrets(t, try(t, s.exchanges, inForce, "", "SessionRule/reset"))
}
