package endpoint

import "strings"

const (
	// longestWord is the longest segment that may be a name; longer ones are values.
	longestWord = 48
	// idDigits is how many digits in a row make a segment a value when they are not alone: "user_1001", "2024-01-31",
	// but not "sha256" or "x509".
	idDigits = 4
	// shortestHex is the shortest text of hexadecimal digits, with letters and figures among them, that is a value.
	shortestHex = 8
	// shortestRandom is the shortest text that may be called random; shorter text is a word as often as not.
	shortestRandom = 12
)

// classify says whether a segment is a value, and what around it is not: prefix and suffix stay in the template.
func classify(segment string) (prefix, suffix string, variable bool) {
	if segment == "" || segment == "*" || segment == rest {
		return "", "", false
	}
	if strings.HasPrefix(segment, "eyJ") { // a JSON object in Base64, as tokens are
		return "", "", true
	}
	if segment[len(segment)-1] == ')' { // OData: Orders(42), Orders('A')
		if open := strings.IndexByte(segment, '('); open > 0 && open < len(segment)-2 && isName(segment[:open]) {
			return segment[:open+1], ")", true
		}
	}
	if colon := strings.LastIndexByte(segment, ':'); colon > 0 && isVerb(segment[colon+1:]) { // operations/42:cancel
		if isValue(segment[:colon]) {
			return "", segment[colon:], true
		}
		return "", "", !isName(segment[:colon])
	}
	if dot := strings.LastIndexByte(segment, '.'); dot > 0 && isExtension(segment[dot+1:]) {
		isAddress := strings.IndexByte(segment, '@') >= 0 || strings.Contains(segment, "%40")
		if isAddress || len(segment) > longestWord { // no file names
			return "", "", true
		}
		if isValue(segment[:dot]) {
			return "", segment[dot:], true
		}
		return "", "", false
	}
	return "", "", isValue(segment)
}

// isVerb reports whether s can be the verb of a custom method, as in "operations/42:cancel".
func isVerb(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isLetter(s[i]) {
			return false
		}
	}
	return len(s) >= 3 && len(s) <= 24
}

// isExtension reports whether s can be the extension of a file name: "css", "mp3", "woff2", "7z".
func isExtension(s string) bool {
	letters := 0
	for i := 0; i < len(s); i++ {
		switch {
		case isLetter(s[i]):
			letters++
		case !isDigit(s[i]):
			return false
		}
	}
	return letters > 0 && len(s) <= 5 && len(s)-letters <= 1
}

// isName reports whether s is a word that starts with a letter.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return s != "" && isLetter(s[0]) && len(s) <= longestWord
}

// isValue reports whether a segment, without extension and verb, looks like a value.
func isValue(s string) bool {
	if len(s) > longestWord || s[0] == '~' && len(s) > 1 { // ~alice
		return true
	}
	if isVersion(s) {
		return false
	}
	var whole shape
	start := 0
	for i := 0; i < len(s); i++ {
		switch k := kindOf(s[i]); k {
		case kindOdd:
			return true
		case kindSeparator:
			if isToken(s[start:i]) {
				return true
			}
			start = i + 1
			whole.previous = kindSeparator
		default:
			whole.add(k)
		}
	}
	if isToken(s[start:]) {
		return true
	}
	if whole.digits > 0 && whole.lower+whole.upper == 0 {
		// Numbers, "-5", "10.0.0.1", "1-2-3"; "2.0" and "1.2.3" were versions.
		return true
	}
	return whole.isRandom()
}

// IsValue reports whether a segment, or what is before its extension or verb, is replaced by a variable in a template.
func IsValue(segment string) bool {
	_, _, variable := classify(segment)
	return variable
}

// IsRandom reports whether s looks like a token that was made at random: at least 20 letters and figures that change
// as words do not, or 32 of them in a row. UUIDs and numbers are not meant: they commonly name objects.
func IsRandom(s string) bool {
	const shortest, longestInRow = 20, 32
	if len(s) < shortest || isUUID(s) {
		return false
	}
	var whole shape
	row := 0
	for i := 0; i < len(s); i++ {
		k := kindOf(s[i])
		whole.add(k)
		if row++; k == kindSeparator || k == kindOdd {
			whole.previous, row = kindSeparator, 0
		}
		if row >= longestInRow && whole.lower+whole.upper > 0 {
			return true
		}
	}
	return whole.lower+whole.upper+whole.digits >= shortest && whole.isRandom()
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return false
		}
	}
	return true
}

// isVersion reports whether s is a version: "v1", "v2.1", "v1beta1", "V3", "2.0", "1.2.3".
func isVersion(s string) bool {
	digits, dots := 0, 0 // of the number that is being read; of the whole
	letters := s[0] == 'v' || s[0] == 'V'
	if letters {
		s = s[1:]
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
			if digits++; digits >= idDigits {
				return false
			}
		case digits == 0:
			return false
		case c == '.':
			digits = 0
			dots++
		default:
			return letters && isStage(s[i:])
		}
	}
	return digits > 0 && dots <= 2 && (letters || dots > 0)
}

// isStage reports whether s is what follows the number of an unfinished version: "alpha", "beta1", "rc2", "p1beta1".
func isStage(s string) bool {
	if len(s) > 2 && s[0] == 'p' && isDigit(s[1]) { // v1p1beta1, as Google has it
		s = s[2:]
	}
	for _, stage := range [...]string{"alpha", "beta", "preview", "rc"} {
		if number, ok := strings.CutPrefix(s, stage); ok {
			return len(number) <= 2 && strings.Trim(number, "0123456789") == ""
		}
	}
	return false
}

// isToken reports whether a part of a segment, between separators, makes the whole segment a value.
func isToken(s string) bool {
	var t shape
	for i := 0; i < len(s); i++ {
		t.add(kindOf(s[i]))
		t.notHex = t.notHex || !isHex(s[i])
	}
	letters := t.lower + t.upper
	switch {
	case t.digits == 0:
		return t.isRandom()
	case t.longestNumber >= idDigits:
		return true // 1001, user1001, 1001a
	case !t.notHex && letters > 0 && len(s) >= shortestHex:
		return true
	case len(s) >= 5 && t.turns >= 4:
		return true // figures and letters by turns: 3f2a9c1, C024BE91L
	case t.lower == 0 && len(s) >= 10 && t.digits >= 2:
		return true // a code of capitals and figures
	case len(s) >= shortestRandom:
		// Long words with a figure in them end in it, or have one in the middle, and can be spoken.
		const unspeakable = 5
		if isDigit(s[0]) || t.turns >= 3 || longestConsonants(s) >= unspeakable {
			return true
		}
	}
	return t.isRandom()
}

// longestConsonants returns how many letters without a vowel s has in a row, at most.
func longestConsonants(s string) (longest int) {
	row := 0
	for i := 0; i < len(s); i++ {
		row++
		switch c := s[i] | 0x20; {
		case !isLetter(s[i]), c == 'a', c == 'e', c == 'i', c == 'o', c == 'u', c == 'y':
			row = 0
		}
		longest = max(longest, row)
	}
	return longest
}

// shape counts what tells random text from words.
type shape struct {
	lower, upper, digits int
	// turns is how often a letter follows a figure or the other way round; changes has, in addition, capitals behind
	// small letters. Words in camel case have one change a word, random text has one every other character.
	turns, changes        int
	number, longestNumber int // digits in a row: now, and at most
	notHex                bool
	previous              kind
}

func (t *shape) add(k kind) {
	switch k {
	case kindDigit:
		t.digits++
		t.number++
		t.longestNumber = max(t.longestNumber, t.number)
	case kindLower:
		t.lower++
		t.number = 0
	case kindUpper:
		t.upper++
		t.number = 0
	default:
		t.number = 0
	}
	switch was := t.previous; {
	case was == kindSeparator || was == k:
	case was == kindDigit || k == kindDigit:
		t.turns++
		t.changes++
	case k == kindUpper:
		t.changes++
	}
	t.previous = k
}

// isRandom reports whether there are too many changes for words.
func (t *shape) isRandom() bool {
	const perChange = 4 // characters; camel case and numbered words have fewer changes
	n := t.lower + t.upper + t.digits
	return n >= shortestRandom && t.changes >= n/perChange+1
}

// kind is the kind of a character.
type kind uint8

const (
	kindSeparator kind = iota // also what is before the first character
	kindLower
	kindUpper
	kindDigit
	kindOdd // does not occur in the names of an API
)

func kindOf(c byte) kind {
	switch {
	case 'a' <= c && c <= 'z':
		return kindLower
	case 'A' <= c && c <= 'Z':
		return kindUpper
	case isDigit(c):
		return kindDigit
	case c == '-' || c == '_' || c == '.' || c == '~' || c == '!' || c == '$' || c == '*':
		return kindSeparator
	default:
		return kindOdd
	}
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
