package rule

import (
	"regexp/syntax"
	"slices"
)

// maxPrefixes is how many literal prefixes an expression may expand to before it counts as having none. It is enough
// for "^https?://(api|www)\.(eu|us)\.shop\.example/".
const maxPrefixes = 16

// literalPrefixes returns texts such that whatever expr matches starts with one of them, if expr is anchored at the
// beginning and starts with something literal; nil otherwise. exact says that each text that starts with one of them
// does match. No text of the result is a prefix of another one.
func literalPrefixes(expr string) (prefixes []string, exact bool) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, false
	}
	e := expansion{texts: []string{""}, open: true}
	e.add(withoutOpenEnd(tree.Simplify()))
	if !e.anchored || slices.Contains(e.texts, "") {
		return nil, false
	}
	slices.Sort(e.texts)
	e.texts = slices.Compact(e.texts)
	kept := e.texts[:0]
	for _, t := range e.texts { // sorted: a prefix comes before what it is a prefix of
		if n := len(kept); n > 0 && len(t) >= len(kept[n-1]) && t[:len(kept[n-1])] == kept[n-1] {
			if !e.open {
				return nil, false // the longer alternative may be decided otherwise; leave it to the expression
			}
			continue
		}
		kept = append(kept, t)
	}
	return kept, e.open
}

// expansion is the set of texts with which a match may start, while the expression is read from left to right.
type expansion struct {
	texts    []string
	anchored bool
	open     bool // what was read so far is wholly in texts; cleared for good by the first part that is not literal
}

// add appends what re matches to the texts, and reports whether it could.
func (e *expansion) add(re *syntax.Regexp) bool {
	switch re.Op { //nolint:exhaustive // everything else is not literal
	case syntax.OpBeginText:
		if !slices.Equal(e.texts, []string{""}) || e.anchored {
			return e.stop()
		}
		e.anchored = true
		return true
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return e.stop()
		}
		return e.multiply([]string{string(re.Rune)})
	case syntax.OpCapture:
		return e.add(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !e.add(sub) {
				return false
			}
		}
		return true
	case syntax.OpQuest, syntax.OpAlternate, syntax.OpCharClass:
		texts, ok := alternatives(re)
		if !ok {
			return e.stop()
		}
		return e.multiply(texts)
	default:
		return e.stop()
	}
}

// withoutOpenEnd returns re without a repetition at its very end that may be empty, such as ".*": a search that may
// end anywhere matches whatever follows.
func withoutOpenEnd(re *syntax.Regexp) *syntax.Regexp {
	if n := len(re.Sub); re.Op == syntax.OpConcat && re.Sub[n-1].Op == syntax.OpStar {
		short := *re
		short.Sub = re.Sub[:n-1]
		return &short
	}
	return re
}

func (e *expansion) stop() bool {
	e.open = false
	return false
}

func (e *expansion) multiply(texts []string) bool {
	if !e.anchored || len(e.texts)*len(texts) > maxPrefixes {
		return e.stop()
	}
	out := make([]string, 0, len(e.texts)*len(texts))
	for _, a := range e.texts {
		for _, b := range texts {
			out = append(out, a+b)
		}
	}
	e.texts = out
	return true
}

// alternatives returns the finitely many texts that re matches, if they are few and literal.
func alternatives(re *syntax.Regexp) ([]string, bool) {
	e := expansion{texts: []string{""}, anchored: true, open: true}
	switch re.Op { //nolint:exhaustive // called for these only, and for what they hold
	case syntax.OpCharClass:
		var out []string
		for i := 0; i+1 < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if len(out) == maxPrefixes {
					return nil, false
				}
				out = append(out, string(r))
			}
		}
		return out, len(out) > 0
	case syntax.OpQuest:
		if !e.literal(re.Sub[0]) {
			return nil, false
		}
		return append(e.texts, ""), true
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			one := expansion{texts: []string{""}, anchored: true, open: true}
			if !one.literal(sub) || len(out)+len(one.texts) > maxPrefixes {
				return nil, false
			}
			out = append(out, one.texts...)
		}
		return out, true
	default:
		return nil, false
	}
}

// literal is add for a part that must be literal to its end, and without an anchor of its own.
func (e *expansion) literal(re *syntax.Regexp) bool { return e.add(re) && e.open }
