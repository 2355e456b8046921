package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// ResponseAdds reports whether the response of x may change what was found in its request. When it does not, the
// identity of the request alone is that of the whole exchange. It may say yes where it does not, never the other way.
func (e *Engine) ResponseAdds(x *seshat.Exchange) bool {
	if e.readsResponses || len(x.Response.Body.Bytes) > 0 {
		return true
	}
	t := &e.tables[viewResponseHeader]
	if len(t.patterns) > 0 {
		return true
	}
	for i := range x.Response.Header {
		name := x.Response.Header[i].Name
		if len(name) == len("Set-Cookie") && rule.EqualFoldASCII(name, "Set-Cookie") || t.find(name) != nil {
			return true
		}
	}
	return false
}

// readsResponses reports whether something declared looks at responses in a way that their header names, cookies and
// bodies do not tell.
func readsResponses(e *Engine) bool {
	conditions := func(list []rule.Condition) bool {
		for i := range list {
			if list[i].Side == seshat.InResponse || list[i].Location == seshat.LocationStatus {
				return true
			}
		}
		return false
	}
	probe := func(s *rule.Selector, slot int) bool {
		switch {
		case s.Location == seshat.LocationStatus:
			return true
		case s.Side != seshat.InResponse, s.Location == seshat.LocationCookie, s.Location == seshat.LocationBody:
			return false
		default:
			return slot == noSlot
		}
	}
	for _, list := range e.own {
		for i := range list {
			id := &list[i]
			for p := range id.Probes {
				if probe(&id.Probes[p], id.slots[p]) {
					return true
				}
			}
			// What a condition or an expiration says of a value that is in the response only matters when that is there.
			if requested(id) && (conditions(id.Conditions) || id.Expiration != nil && !id.Expiration.JWT) {
				return true
			}
		}
	}
	for i := range e.parameters {
		p := &e.parameters[i]
		if probe(&p.Selector, p.slot) || conditions(p.Conditions) {
			return true
		}
	}
	for i := range e.context {
		p := &e.context[i]
		if probe(&p.Selector, p.slot) || conditions(p.Conditions) {
			return true
		}
	}
	for _, f := range e.rules.Flows() {
		if conditions(f.Conditions) {
			return true
		}
	}
	return false
}

// requested reports whether id finds something in requests.
func requested(id *identifier) bool {
	for p := range id.Probes {
		if id.Probes[p].Side == seshat.InRequest {
			return true
		}
	}
	return false
}
