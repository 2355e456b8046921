package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/rule"
)

// The methods in this file are for whoever judges an exchange after it was identified, by the same rules: x is the
// exchange that was identified last. What mask rules hide is not there.

// Holds reports whether all conditions hold for x.
func (w *Worker) Holds(x *seshat.Exchange, conditions []rule.Condition) bool {
	w.x = x
	held := w.hold(conditions)
	w.x = nil
	return held
}

// AtEndpoint reports whether one of the patterns is of the endpoint of x, or of its path as it was sent.
func (w *Worker) AtEndpoint(x *seshat.Exchange, patterns []*endpoint.Pattern) bool {
	w.x = x
	defer func() { w.x = nil }()
	for _, p := range patterns {
		if w.atEndpoint(p) {
			return true
		}
	}
	return false
}

// Value returns the value of the field that s selects in x: the first one for n 0, and so on. It is valid until the next
// exchange is identified.
func (w *Worker) Value(x *seshat.Exchange, s *rule.Selector, n int) (value string, ok bool) {
	w.x = x
	fields := w.fields(s)
	w.x = nil
	for i := range fields {
		if !s.Key.Match(fields[i].Name) || !s.Value.Match(fields[i].Value) {
			continue
		}
		if n == 0 {
			return fields[i].Value, true
		}
		n--
	}
	return "", false
}
