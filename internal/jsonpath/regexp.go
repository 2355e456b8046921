package jsonpath

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// compiledRegexp is an I-Regexp (RFC 9485) in the form of Go's regexp package, which runs in time linear to its
// input. re is nil for what is not an I-Regexp: it matches nothing.
type compiledRegexp struct {
	re   *regexp.Regexp
	size int // about how many states it has
}

type regexpKey struct {
	pattern string
	search  bool
}

// maxDocumentRegexps is how many different expressions a document may bring to one evaluation: an entry of the cache
// takes some kilobytes, and nobody keeps that many in one document.
const maxDocumentRegexps = 64

// regexp compiles an expression that comes from the document.
func (e *evaluator) regexp(pattern string, search bool) *compiledRegexp {
	key := regexpKey{pattern, search}
	re, ok := e.regexps[key]
	if ok {
		return re
	}
	if len(e.regexps) == maxDocumentRegexps {
		e.err = ErrTooMuchWork
		return &compiledRegexp{}
	}
	re = compileRegexp(pattern, kindString, search)
	e.spend(len(pattern) + re.size)
	if e.regexps == nil {
		e.regexps = map[regexpKey]*compiledRegexp{}
	}
	e.regexps[key] = re
	return re
}

func compileRegexp(pattern string, k kind, search bool) *compiledRegexp {
	if k != kindString || len(pattern) > MaxRegexp || !utf8.ValidString(pattern) {
		return &compiledRegexp{}
	}
	t := regexpTranslator{src: pattern}
	size, ok := t.alternatives(0)
	if !ok || t.pos < len(t.src) || size > MaxRegexp {
		return &compiledRegexp{}
	}
	text := t.out.String()
	if !search {
		text = `\A(?:` + text + `)\z`
	}
	re, err := regexp.Compile(text)
	if err != nil { // a range or repetition the wrong way round, or more than 1,000 repetitions
		return &compiledRegexp{}
	}
	return &compiledRegexp{re: re, size: size}
}

// regexpTranslator checks the grammar of RFC 9485, section 4, and writes the same expression for Go. Its functions
// return about how many states what they read has.
type regexpTranslator struct {
	src string
	pos int
	out strings.Builder
}

func (t *regexpTranslator) peek() byte {
	if t.pos < len(t.src) {
		return t.src[t.pos]
	}
	return 0
}

func (t *regexpTranslator) alternatives(depth int) (size int, ok bool) {
	if depth > MaxNesting {
		return 0, false
	}
	for {
		for t.pos < len(t.src) && t.peek() != '|' && t.peek() != ')' {
			n, ok := t.piece(depth)
			if !ok || size+n > MaxRegexp {
				return 0, false
			}
			size += n
		}
		if t.pos >= len(t.src) || t.peek() == ')' {
			return size, true
		}
		t.out.WriteByte('|')
		t.pos++
		size++
	}
}

func (t *regexpTranslator) piece(depth int) (size int, ok bool) {
	if size, ok = t.atom(depth); !ok {
		return 0, false
	}
	switch c := t.peek(); {
	case t.pos >= len(t.src):
	case c == '*' || c == '+' || c == '?':
		t.out.WriteByte(c)
		t.pos++
		size++
	case c == '{':
		n, ok := t.repetition()
		if !ok {
			return 0, false
		}
		size *= n
	}
	return size, size <= MaxRegexp
}

// repetition reads {n}, {n,} or {n,m} and returns how often the atom is repeated in states.
func (t *regexpTranslator) repetition() (times int, ok bool) {
	start := t.pos
	t.pos++
	lower, ok := t.count()
	if !ok {
		return 0, false
	}
	times = lower + 1
	if t.peek() == ',' {
		t.pos++
		if isDigit(t.peek()) {
			upper, ok := t.count()
			if !ok || upper < lower {
				return 0, false
			}
			times = upper + 1
		}
	}
	if t.peek() != '}' {
		return 0, false
	}
	t.pos++
	t.out.WriteString(t.src[start:t.pos])
	return times, true
}

func (t *regexpTranslator) count() (n int, ok bool) {
	for start := t.pos; ; t.pos++ {
		if !isDigit(t.peek()) {
			return n, t.pos > start
		}
		if n = n*10 + int(t.peek()-'0'); n > MaxRegexp {
			return 0, false
		}
	}
}

func (t *regexpTranslator) atom(depth int) (size int, ok bool) {
	switch c := t.peek(); c {
	case '(':
		t.pos++
		t.out.WriteString("(?:")
		size, ok = t.alternatives(depth + 1)
		if !ok || t.peek() != ')' {
			return 0, false
		}
		t.pos++
		t.out.WriteByte(')')
		return size + 1, true
	case '.':
		t.pos++
		t.out.WriteString(`[^\n\r]`)
		return 1, true
	case '\\':
		return 1, t.escape()
	case '[':
		return t.class()
	case ')', '*', '+', '?', ']', '{', '|', '}':
		return 0, false
	case '^', '$': // anchors; see the package documentation
		t.pos++
		t.out.WriteByte(c)
		return 1, true
	default:
		r, n := utf8.DecodeRuneInString(t.src[t.pos:])
		t.pos += n
		t.out.WriteString(regexp.QuoteMeta(string(r)))
		return 1, true
	}
}

// escape reads a single character escape or a category, which are written the same in Go.
func (t *regexpTranslator) escape() bool {
	if t.pos+1 >= len(t.src) {
		return false
	}
	switch c := t.src[t.pos+1]; {
	case c == 'p' || c == 'P':
		end := strings.IndexByte(t.src[t.pos:], '}')
		if end < 0 || t.src[t.pos+2] != '{' || !isCategory(t.src[t.pos+3:t.pos+end]) {
			return false
		}
		t.out.WriteString(t.src[t.pos : t.pos+end+1])
		t.pos += end + 1
		return true
	case isSingleEscape(c):
		t.out.WriteString(t.src[t.pos : t.pos+2])
		t.pos += 2
		return true
	default:
		return false
	}
}

func isSingleEscape(c byte) bool {
	return c != 0 && strings.IndexByte(`()*+-.?[\]^nrt{|}`, c) >= 0
}

// isCategory reports whether name is a general category of Unicode that I-Regexp knows.
func isCategory(name string) bool {
	if len(name) != 1 && len(name) != 2 {
		return false
	}
	var second string
	switch name[0] {
	case 'L':
		second = "lmotu"
	case 'M':
		second = "cen"
	case 'N':
		second = "dlo"
	case 'P':
		second = "cdefios"
	case 'Z':
		second = "lps"
	case 'S':
		second = "ckmo"
	case 'C':
		second = "cfno"
	default:
		return false
	}
	return len(name) == 1 || strings.IndexByte(second, name[1]) >= 0
}

// class reads a character class expression.
func (t *regexpTranslator) class() (size int, ok bool) {
	t.pos++
	t.out.WriteByte('[')
	if t.peek() == '^' {
		t.out.WriteByte('^')
		t.pos++
	}
	if t.peek() == '-' {
		t.out.WriteString(`\-`)
		t.pos++
	} else if !t.classItem() {
		return 0, false
	}
	for t.pos < len(t.src) {
		switch {
		case t.peek() == ']':
			t.pos++
			t.out.WriteByte(']')
			return 1, true
		case t.peek() == '-': // the last character, and only there
			t.out.WriteString(`\-`)
			t.pos++
			if t.peek() != ']' {
				return 0, false
			}
		case !t.classItem():
			return 0, false
		}
	}
	return 0, false
}

// classItem reads a character, a range of characters, or a category.
func (t *regexpTranslator) classItem() bool {
	if strings.HasPrefix(t.src[t.pos:], `\p`) || strings.HasPrefix(t.src[t.pos:], `\P`) {
		return t.escape()
	}
	if !t.classCharacter() {
		return false
	}
	if t.peek() == '-' && t.pos+1 < len(t.src) && t.src[t.pos+1] != ']' {
		t.out.WriteByte('-')
		t.pos++
		return t.classCharacter()
	}
	return true
}

func (t *regexpTranslator) classCharacter() bool {
	switch c := t.peek(); {
	case t.pos >= len(t.src) || c == '-' || c == '[' || c == ']':
		return false
	case c == '\\':
		return t.pos+1 < len(t.src) && isSingleEscape(t.src[t.pos+1]) && t.escape()
	default:
		r, n := utf8.DecodeRuneInString(t.src[t.pos:])
		t.pos += n
		if r == '^' {
			t.out.WriteByte('\\')
		}
		t.out.WriteRune(r)
		return true
	}
}
