package resource

import (
	"slices"
	"strings"
)

// validName reports whether name is a lower-case DNS label (RFC 1123, section 2.1).
func validName(name string) bool {
	if name == "" || len(name) > MaxName || name[0] == '-' || name[len(name)-1] == '-' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// suggestName turns text into a valid name that looks like it, or "" when nothing of it can be kept.
func suggestName(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == MaxName {
			break
		}
	}
	return strings.Trim(b.String(), "-")
}

// hintFor says what to write instead of word, which is none of known: the nearest of them, or all.
func hintFor(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "one of " + strings.Join(known, ", ")
}

// nearest returns the entry of known that word is probably a misspelling of, or "".
func nearest(word string, known []string) string {
	best, bestDistance := "", 3 // two slips at most: beyond that, a guess is noise
	lower := strings.ToLower(word)
	for _, candidate := range known {
		d := distance(lower, strings.ToLower(candidate))
		if d < bestDistance && d*2 < max(len(candidate), 2) {
			best, bestDistance = candidate, d
		}
	}
	if best != "" {
		return best
	}
	// "values" for "value", "pathSegments" for "segment".
	if len(lower) >= 3 {
		if i := slices.IndexFunc(known, func(k string) bool {
			k = strings.ToLower(k)
			return len(k) >= 3 && (strings.HasPrefix(k, lower) || strings.HasPrefix(lower, k))
		}); i >= 0 {
			return known[i]
		}
	}
	return ""
}

// distance is the number of letters to insert, remove, replace or swap with their neighbour to get from a to b (optimal
// string alignment). Words longer than 64 bytes are cut: no name is that long.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
