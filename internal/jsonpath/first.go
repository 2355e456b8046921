package jsonpath

// First returns the first node that is a string, a number or a boolean, as the bytes that stand in the document,
// which raw aliases. [AppendScalar] makes text of them.
//
// For a singular query and for $..name it does not parse the document and does not allocate; see the package
// documentation for what that means on documents that are not valid. Others take the way of [Path.SelectJSON] and
// find nothing where that fails.
func (p *Path) First(data []byte) (raw []byte, ok bool) {
	var at, end int
	switch {
	case p.singular:
		if at = locate(data, p.steps); at < 0 {
			return nil, false
		}
		end = scalarEnd(data, at, len(p.steps) == 0)
	case p.isAnywhere:
		s := nameSearch{data: data, name: p.anywhere}
		s.value(skipSpace(data, 0), 0)
		at, end = s.at, s.end
	default:
		at, end = p.firstSlow(data)
	}
	if end <= at {
		return nil, false
	}
	return data[at:end], true
}

// FirstString returns the text of [Path.First]. It aliases data when it is a string without escapes, a number or a
// boolean; otherwise it is written over scratch, which is returned grown where it had to be.
func (p *Path) FirstString(data, scratch []byte) (value, newScratch []byte, ok bool) {
	raw, ok := p.First(data)
	if !ok {
		return nil, scratch, false
	}
	return scalarText(raw, scratch)
}

// scalarText is the text of a scalar token. It aliases raw, or scratch.
func scalarText(raw, scratch []byte) (value, newScratch []byte, ok bool) {
	if raw[0] != '"' {
		return raw, scratch, true
	}
	_, escaped, ok := scanString(raw, 0)
	if !ok {
		return nil, scratch, false
	}
	if !escaped {
		return raw[1 : len(raw)-1], scratch, true
	}
	value, ok = AppendScalar(scratch[:0], raw)
	if !ok {
		return nil, scratch, false
	}
	return value, value, true
}

func (p *Path) firstSlow(data []byte) (at, end int) {
	root, err := decode(data)
	if err != nil {
		return 0, 0
	}
	e := evaluator{root: &root}
	e.walk(p.query.segments, &root, nil, func(it *item, _ *location) bool {
		if it.kind == kindNull || it.kind == kindArray || it.kind == kindObject {
			return true
		}
		at, end = it.start, it.end
		return false
	})
	return at, end
}

// scalarEnd returns the end of the string, number or boolean at i, or a negative number for anything else. A number
// at the very end of the data counts only when it is the whole document: the rest of it may have been cut off.
func scalarEnd(b []byte, i int, whole bool) int {
	if i >= len(b) {
		return none
	}
	end := none
	switch c := b[i]; {
	case c == '"':
		e, escaped, ok := scanString(b, i)
		if !ok || escaped && !validEscapes(b[i+1:e-1]) {
			return none
		}
		return e
	case c == '-' || isDigit(c):
		e, ok := scanNumber(b, i)
		if !ok {
			return none
		}
		end = e
	case c == 't' && i+4 <= len(b) && string(b[i:i+4]) == "true":
		end = i + 4
	case c == 'f' && i+5 <= len(b) && string(b[i:i+5]) == "false":
		end = i + 5
	default:
		return none
	}
	if end == len(b) {
		if whole {
			return end
		}
		return none
	}
	switch b[end] {
	case ',', ']', '}', ' ', '\t', '\n', '\r':
		return end
	default:
		return none
	}
}

func validEscapes(s []byte) bool {
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			i++
			continue
		}
		_, size, ok := unescape(s, i)
		if !ok {
			return false
		}
		i += size
	}
	return true
}

// nameSearch finds the first scalar of $..name in one pass. The RFC visits an object before what is in it: a member
// called name of an outer object comes before all in the objects within, even when it stands behind them. So a
// search that found something inside goes on for a member further out.
type nameSearch struct {
	data    []byte
	name    string
	at, end int // of what was found last; a search overwrites only with what comes before
}

// value searches the value at i and returns the place behind it, or a negative number when the search is over,
// because the data ends or cannot be followed. What was found until then counts.
func (s *nameSearch) value(i, depth int) int {
	if i >= len(s.data) || depth > MaxDepth {
		return none
	}
	switch s.data[i] {
	case '{':
		return s.object(i, depth)
	case '[':
		return s.array(i, depth)
	default:
		return skipValue(s.data, i)
	}
}

func (s *nameSearch) array(i, depth int) int {
	elements := elementScanner{data: s.data, pos: i}
	for elements.next() {
		if elements.pos = s.inner(elements.value, depth); elements.pos < 0 {
			return none
		}
	}
	if !elements.closed {
		return none
	}
	return elements.pos
}

// inner searches a child, unless an earlier one had something: that comes first.
func (s *nameSearch) inner(i, depth int) int {
	if s.end > 0 {
		return skipValue(s.data, i)
	}
	return s.value(i, depth+1)
}

func (s *nameSearch) object(i, depth int) int {
	members := memberScanner{data: s.data, pos: i}
	seen := false
	for members.next() {
		if !seen && nameIs(members.name, s.name) {
			seen = true
			if end := scalarEnd(s.data, members.value, false); end > 0 {
				// Nothing in this object comes before it; what follows matters only to the objects around.
				s.at, s.end = members.value, end
				if depth == 0 {
					return none
				}
				members.pos = end
				continue
			}
		}
		if members.pos = s.inner(members.value, depth); members.pos < 0 {
			return none
		}
	}
	if !members.closed {
		return none
	}
	return members.pos
}
