package rule

import (
	"time"

	"github.com/seshat-project/seshat"
)

// Rule is a compiled session rule.
type Rule struct {
	ID          seshat.RuleID
	Name        string
	Priority    int
	Scope       Scope
	Identifiers []Identifier
	// IdleTimeout and AbsoluteLifetime end sessions that the rule identified; 0 for no such end.
	IdleTimeout      time.Duration
	AbsoluteLifetime time.Duration
}

// Ruleset is everything that resources declare, compiled. It is immutable and safe for concurrent use; callers must
// not change what its methods return.
type Ruleset struct {
	rules      []*Rule
	parameters []*Parameter
	flows      []*Flow
	masks      []*Mask

	limits      []*Limit
	validations []*Validation

	settings seshat.SettingsSpec
	byID     map[seshat.RuleID]*Rule
}

// Rules returns the enabled session rules in the order in which they are tried: by priority, then by name.
func (r *Ruleset) Rules() []*Rule { return r.rules }

// Rule returns the enabled session rule with the given ID.
func (r *Ruleset) Rule(id seshat.RuleID) (*Rule, bool) {
	found, ok := r.byID[id]
	return found, ok
}

// Parameters returns the enabled context parameters, by name.
func (r *Ruleset) Parameters() []*Parameter { return r.parameters }

// Flows returns the enabled flows, by name.
func (r *Ruleset) Flows() []*Flow { return r.flows }

// Masks returns the enabled mask rules, by name.
func (r *Ruleset) Masks() []*Mask { return r.masks }

// Limits returns the enabled limits, by name.
func (r *Ruleset) Limits() []*Limit { return r.limits }

// Validations returns the enabled validations of tokens, by name.
func (r *Ruleset) Validations() []*Validation { return r.validations }

// Settings returns the settings of the installation as they were declared.
func (r *Ruleset) Settings() seshat.SettingsSpec { return r.settings }

// BuiltIn reports whether the built-in set is used; it is unless the settings switch it off.
func (r *Ruleset) BuiltIn() bool { return r.settings.BuiltIn == nil || *r.settings.BuiltIn }

// AutoIdentifier reports whether Authorization may be set as an identifier by itself; it may unless the settings
// switch that off.
func (r *Ruleset) AutoIdentifier() bool {
	return r.settings.AutoIdentifier == nil || *r.settings.AutoIdentifier
}

// Hides reports whether a mask rule hides the field called name at l on side of x. It is for readers of an exchange
// other than identification, which looks the masks up once for all fields.
func (r *Ruleset) Hides(x *seshat.Exchange, side seshat.Side, l seshat.Location, name string) bool {
	if len(r.masks) == 0 {
		return false
	}
	url := string(AppendURL(nil, x))
	for _, m := range r.masks {
		if m.Scope.Check(x.Environment, x.Service, url) == InScope && m.Hides(side, l, name) {
			return true
		}
	}
	return false
}
