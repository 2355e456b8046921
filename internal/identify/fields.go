package identify

import (
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// fields returns the fields at the place of s, with every name: keys and values are not looked at. The result is
// valid until the next call.
func (w *Worker) fields(s *rule.Selector) []seshat.Field {
	switch s.Location {
	case seshat.LocationHeader, seshat.LocationCookie, seshat.LocationQuery:
		return w.views[viewOf(s)].fields
	case seshat.LocationPathParameter:
		if !w.views[viewPathParameter].made {
			w.makePathParameters()
		}
		return w.views[viewPathParameter].fields
	case seshat.LocationPathSegment:
		return w.segments(s)
	case seshat.LocationBody:
		return w.bodyFields(s)
	case seshat.LocationStatus:
		if w.x.Response.Status == 0 {
			return nil
		}
		const digits = 20
		return w.one(w.arena.keep(strconv.AppendInt(w.arena.take(digits), int64(w.x.Response.Status), 10)))
	case seshat.LocationClientIP:
		return w.one(w.address())
	case seshat.LocationUserAgent:
		return w.one(w.userAgent())
	case seshat.LocationJA4:
		return w.one(w.x.Client.JA4)
	default:
		return nil
	}
}

// one is a list of one field without a name, or of none when there is no value.
func (w *Worker) one(value string) []seshat.Field {
	w.single = w.single[:0]
	if value != "" {
		w.single = append(w.single, seshat.Field{Value: value})
	}
	return w.single
}

func (w *Worker) userAgent() string {
	if w.agent < 0 {
		return ""
	}
	return w.views[viewRequestHeader].fields[w.agent].Value
}

// address is the client's address as text: an IPv4 address that is wrapped in IPv6 is written as IPv4.
func (w *Worker) address() string {
	ip := w.x.Client.IP.Unmap().WithZone("")
	if !ip.IsValid() {
		return ""
	}
	const longest = 45
	return w.arena.keep(ip.AppendTo(w.arena.take(longest)))
}

func (w *Worker) segments(s *rule.Selector) []seshat.Field {
	if !w.views[viewSegment].made {
		w.makeSegments()
	}
	all := w.views[viewSegment].fields
	if s.AnySegment {
		return all
	}
	i := s.Segment
	if i < 0 {
		i += len(all)
	}
	if i < 0 || i >= len(all) {
		return nil
	}
	return all[i : i+1]
}

func (w *Worker) bodyFields(s *rule.Selector) []seshat.Field {
	if s.Path != nil {
		return w.pathFields(s)
	}
	if s.Members {
		if found := w.memberFields(s.Side); len(found) > 0 {
			return found
		}
	}
	id := viewRequestForm
	if s.Side == seshat.InResponse {
		id = viewResponseForm
	}
	if !w.views[id].made {
		w.makeForm(s.Side)
	}
	return w.views[id].fields
}

// pathFields returns what a JSONPath selects in a body. Only when there is a value match can another node than the
// first be meant; then the whole document is looked at.
func (w *Worker) pathFields(s *rule.Selector) []seshat.Field {
	data := w.json(s.Side)
	if data == nil {
		return nil
	}
	if s.Path.Singular() || s.Value == nil {
		raw, ok := s.Path.First(data)
		if !ok {
			return nil
		}
		return w.one(w.scalar(raw))
	}
	return w.nodes(s.Path, data)
}

// memberFields returns the members of the JSON body of side whose names the built-in set knows.
func (w *Worker) memberFields(side seshat.Side) []seshat.Field {
	id := viewRequestMembers
	if side == seshat.InResponse {
		id = viewResponseMembers
	}
	if !w.views[id].made {
		w.makeMembers(id, side)
	}
	return w.views[id].fields
}

func (w *Worker) makeMembers(id viewID, side seshat.Side) {
	v := &w.views[id]
	v.start()
	w.members[side] = w.members[side][:0]
	t := &w.engine.tables[id]
	if len(t.entries) == 0 {
		return
	}
	data := w.json(side)
	c := memberCursor{data: data[:min(len(data), maxScanned)]}
	for name, value, ok := c.next(); ok; name, value, ok = c.next() {
		if t.find(stringOf(name)) == nil || w.hidden(side, seshat.LocationBody, stringOf(name)) {
			continue
		}
		text := w.scalar(value)
		if text == "" || !v.add(stringOf(name), text) {
			continue
		}
		path := w.arena.keep(c.appendPath(w.arena.take(c.pathLength())))
		w.members[side] = append(w.members[side], member{path: path, object: c.objects[c.depth-1]})
	}
	v.finish()
}
