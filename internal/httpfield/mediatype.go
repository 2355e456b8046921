package httpfield

import "strings"

// MediaType returns the media type of a Content-Type value without its parameters, in the case it was sent in.
func MediaType(contentType string) string {
	if end := strings.IndexByte(contentType, ';'); end >= 0 {
		contentType = contentType[:end]
	}
	return trimSpace(contentType)
}

// IsJSON reports whether contentType is one JSON text: application/json, text/json, any type ending in +json
// (RFC 6839, section 3.1), and what else vendors call it, such as application/x-amz-json-1.1. Sequences of JSON texts
// are not.
func IsJSON(contentType string) bool {
	t := MediaType(contentType)
	if EqualFold(t, "application/json") {
		return true
	}
	slash := strings.IndexByte(t, '/')
	if slash <= 0 {
		return false
	}
	kind, subtype := t[:slash], t[slash+1:]
	if hasSuffixFold(subtype, "+json") {
		return !containsFold(subtype, "stream+")
	}
	return (EqualFold(kind, "application") || EqualFold(kind, "text")) && containsFold(subtype, "json") && !isJSONSequence(subtype)
}

// isJSONSequence reports whether a subtype with "json" in it is one of those for many JSON texts (RFC 7464,
// JSON Lines, NDJSON), or for scripts.
func isJSONSequence(subtype string) bool {
	for _, part := range [...]string{"ndjson", "nd-json", "json-seq", "jsonl", "json-lines", "stream", "jsonp", "jsonpath"} {
		if containsFold(subtype, part) {
			return true
		}
	}
	return false
}

// containsFold reports whether part, which is in lower case, is in s.
func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// IsForm reports whether contentType is application/x-www-form-urlencoded.
func IsForm(contentType string) bool {
	return EqualFold(MediaType(contentType), "application/x-www-form-urlencoded")
}

// IsMultipartForm reports whether contentType is multipart/form-data.
func IsMultipartForm(contentType string) bool {
	return EqualFold(MediaType(contentType), "multipart/form-data")
}

// maxBoundary is how long a boundary may be (RFC 2046, section 5.1.1).
const maxBoundary = 70

// Boundary returns the boundary parameter of a multipart Content-Type; ok is false when it has none that is valid.
func Boundary(contentType string) (boundary string, ok bool) {
	if !hasPrefixFold(MediaType(contentType), "multipart/") {
		return "", false
	}
	rest := contentType
	for {
		_, parameters, more := strings.Cut(rest, ";")
		if !more {
			return "", false
		}
		var name, value string
		if name, value, rest, ok = nextParameter(parameters); !ok {
			return "", false
		}
		if EqualFold(name, "boundary") {
			return value, value != "" && len(value) <= maxBoundary && value[len(value)-1] != ' '
		}
	}
}

// nextParameter reads one "name=value" of a parameter list (RFC 9110, section 5.6.6), with a value that may be in
// quotes, and returns what follows it. Backslashes in a quoted value keep the quote behind them from ending it, and
// stay in the value: nothing that is looked for here contains any.
func nextParameter(s string) (name, value, rest string, ok bool) {
	equals := strings.IndexAny(s, "=;")
	if equals < 0 {
		return "", "", "", false
	}
	if s[equals] == ';' { // a name without a value
		return trimSpace(s[:equals]), "", s[equals:], true
	}
	name, s = trimSpace(s[:equals]), trimLeftSpace(s[equals+1:])
	if s == "" || s[0] != '"' {
		end := strings.IndexByte(s, ';')
		if end < 0 {
			end = len(s)
		}
		return name, trimSpace(s[:end]), s[end:], true
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return name, s[1:i], s[i+1:], true
		}
	}
	return "", "", "", false // the quotes never end
}

func trimLeftSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}
