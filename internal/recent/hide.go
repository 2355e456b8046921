package recent

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// InScope are the mask rules of rules that x is in the scope of.
func InScope(x *seshat.Exchange, rules *rule.Ruleset) []*rule.Mask {
	if len(rules.Masks()) == 0 {
		return nil
	}
	url := string(rule.AppendURL(nil, x))
	var out []*rule.Mask
	for _, m := range rules.Masks() {
		if m.Scope.Check(x.Environment, x.Service, url) == rule.InScope {
			out = append(out, m)
		}
	}
	return out
}

// Hide is x without what masks hide, all of which x has to be in the scope of. Identification finds in it what it finds
// in x by rules that have the masks, and whoever keeps it keeps nothing that is hidden. What is not hidden aliases x. A
// body of several parts with one that is hidden, and one that cannot be read, is left out as a whole.
//
// Hidden is told of every field that is left out; it may be nil.
func Hide(x *seshat.Exchange, masks []*rule.Mask, hidden func(side seshat.Side, l seshat.Location, name string)) seshat.Exchange {
	h := hiding{masks: masks, told: hidden}
	out := *x
	out.Request.Header = h.header(seshat.InRequest, x.Request.Header)
	out.Response.Header = h.header(seshat.InResponse, x.Response.Header)
	out.Request.Query = h.pairs(seshat.LocationQuery, seshat.InRequest, x.Request.Query)
	out.Request.Path = h.path(x.Request.Path)
	out.Request.Body = h.body(seshat.InRequest, out.Request.Header, x.Request.Body)
	out.Response.Body = h.body(seshat.InResponse, out.Response.Header, x.Response.Body)
	return out
}

type hiding struct {
	masks   []*rule.Mask
	told    func(side seshat.Side, l seshat.Location, name string)
	scratch httpfield.Scratch
}

// hides reports whether a field is hidden, and tells of it.
func (h *hiding) hides(side seshat.Side, l seshat.Location, name string) bool {
	for _, m := range h.masks {
		if m.Hides(side, l, name) {
			h.tell(side, l, name)
			return true
		}
	}
	return false
}

func (h *hiding) tell(side seshat.Side, l seshat.Location, name string) {
	if h.told != nil {
		h.told(side, l, strings.Clone(name)) // the name may be in memory that is used again
	}
}

func (h *hiding) header(side seshat.Side, fields []seshat.Field) []seshat.Field {
	out := make([]seshat.Field, 0, len(fields))
	for _, f := range fields {
		if h.hides(side, seshat.LocationHeader, f.Name) {
			continue
		}
		switch {
		case side == seshat.InRequest && httpfield.EqualFold(f.Name, "Cookie"):
			if f.Value = h.cookies(f.Value); f.Value == "" {
				continue
			}
		case side == seshat.InResponse && httpfield.EqualFold(f.Name, "Set-Cookie"):
			if c, ok := httpfield.ParseSetCookie(f.Value); ok && h.hides(side, seshat.LocationCookie, c.Name) {
				continue
			}
		}
		out = append(out, f)
	}
	return out
}

// keep is text without the pieces between separators that hides names, unchanged when there are none.
func keep(text, separator string, hides func(piece string) bool) string {
	var out []string
	left := false
	for piece := range strings.SplitSeq(text, separator) {
		if hides(piece) {
			left = true
			continue
		}
		out = append(out, piece)
	}
	if !left {
		return text
	}
	return strings.Join(out, separator)
}

func (h *hiding) cookies(value string) string {
	return keep(value, ";", func(piece string) bool {
		c := httpfield.Cookies(piece)
		name, _, ok := c.Next()
		return ok && h.hides(seshat.InRequest, seshat.LocationCookie, name)
	})
}

// pairs is a query, or a form, without the parameters that are hidden.
func (h *hiding) pairs(l seshat.Location, side seshat.Side, text string) string {
	if text == "" {
		return ""
	}
	return keep(text, "&", func(piece string) bool {
		c := httpfield.Parameters(piece)
		name, _, ok := c.Next(&h.scratch)
		return ok && h.hides(side, l, name)
	})
}

// path is a path without the path parameters that are hidden.
func (h *hiding) path(path string) string {
	if strings.IndexByte(path, ';') < 0 {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, parameters, found := strings.Cut(segment, ";")
		if !found {
			continue
		}
		left := keep(parameters, ";", func(piece string) bool {
			c := httpfield.PathParameters("/;" + piece)
			name, _, ok := c.Next(&h.scratch)
			return ok && h.hides(seshat.InRequest, seshat.LocationPathParameter, name)
		})
		switch left {
		case parameters:
		case "":
			segments[i] = name
		default:
			segments[i] = name + ";" + left
		}
	}
	return strings.Join(segments, "/")
}

// unseen is a body of which nothing is there.
func unseen(b seshat.Body) seshat.Body {
	return seshat.Body{Size: max(b.Size, int64(len(b.Bytes))), Truncated: true}
}

func (h *hiding) body(side seshat.Side, header []seshat.Field, body seshat.Body) seshat.Body {
	if len(body.Bytes) == 0 || !slices.ContainsFunc(h.masks, func(m *rule.Mask) bool {
		return m.Location == seshat.LocationBody && (side == seshat.InRequest && m.Request || side == seshat.InResponse && m.Response)
	}) {
		return body
	}
	contentType, _ := httpfield.Lookup(header, "Content-Type")
	switch {
	case httpfield.IsForm(contentType):
		text := string(body.Bytes)
		if left := h.pairs(seshat.LocationBody, side, text); left != text {
			body.Size = max(body.Size, int64(len(body.Bytes)))
			body.Bytes = []byte(left)
		}
	case httpfield.IsMultipartForm(contentType):
		boundary, ok := httpfield.Boundary(contentType)
		if !ok {
			return unseen(body)
		}
		c, hides := httpfield.MultipartFields(body.Bytes, boundary), false
		for name, _, ok := c.Next(&h.scratch); ok; name, _, ok = c.Next(&h.scratch) {
			hides = h.hides(side, seshat.LocationBody, name) || hides
		}
		if hides {
			return unseen(body)
		}
	default:
		return h.json(side, body)
	}
	return body
}

// span is a part of a document.
type span struct{ start, end int }

// json is a JSON body with null in place of the values that are hidden: what a path selects, and members of the names that
// are hidden, as those are for the built-in set.
func (h *hiding) json(side seshat.Side, body seshat.Body) seshat.Body {
	data := bytes.TrimPrefix(body.Bytes, []byte("\ufeff"))
	var hidden []span
	byName := false
	for _, m := range h.masks {
		switch {
		case m.Location != seshat.LocationBody || side == seshat.InRequest && !m.Request || side == seshat.InResponse && !m.Response:
			continue
		case m.Path == nil:
			byName = true
			continue
		}
		nodes, err := m.Path.SelectJSON(data)
		if err != nil {
			return unseen(body) // what cannot be masked is not kept
		}
		for _, n := range nodes {
			start, end := n.Span()
			hidden = append(hidden, span{start, end})
			h.tell(side, seshat.LocationBody, m.PathText())
		}
	}
	if byName {
		members, err := h.members(side, data)
		if err != nil {
			return unseen(body)
		}
		hidden = append(hidden, members...)
	}
	if len(hidden) == 0 {
		return body
	}
	slices.SortFunc(hidden, func(a, b span) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) })
	out, at := make([]byte, 0, len(data)), 0
	for _, s := range hidden {
		if s.start < at {
			continue // within one that is gone already
		}
		out = append(append(out, data[at:s.start]...), "null"...)
		at = s.end
	}
	body.Size = max(body.Size, int64(len(body.Bytes)))
	body.Bytes = append(out, data[at:]...)
	return body
}

// members are the values of the members of a document whose names are hidden, wherever they are in it.
func (h *hiding) members(side seshat.Side, data []byte) ([]span, error) {
	var hidden []span
	// open are the objects and arrays that the decoder is in; of an object, whether a name comes next.
	type level struct{ object, name bool }
	var open []level
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return hidden, nil
		}
		if err != nil {
			return nil, err
		}
		delimiter, _ := token.(json.Delim)
		if delimiter == '{' || delimiter == '[' {
			open = append(open, level{delimiter == '{', delimiter == '{'})
			continue
		}
		if delimiter != 0 {
			open = open[:len(open)-1]
		} else if len(open) > 0 && open[len(open)-1].name {
			open[len(open)-1].name = false
			if name, ok := token.(string); !ok || !h.hides(side, seshat.LocationBody, name) {
				continue
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return nil, err
			}
			end := int(d.InputOffset())
			hidden = append(hidden, span{end - len(value), end})
		}
		if n := len(open); n > 0 && open[n-1].object { // a value is over
			open[n-1].name = true
		}
	}
}
