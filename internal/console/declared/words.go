package declared

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/ui"
)

const section = ui.SectionContext

// where is a place in an exchange in a few words, such as cookie SESSID.
func where(e *seshat.Extract) string {
	switch e.Location {
	case "pathSegment":
		if e.Segment == nil {
			return "path segments"
		}
		return "path segment " + strconv.Itoa(*e.Segment)
	case "clientIP":
		return "client IP"
	case "userAgent":
		return "user agent"
	case "ja4":
		return "TLS JA4"
	}
	name := locationName(e.Location)
	switch {
	case e.JSONPath != "":
		return name + " " + e.JSONPath
	case e.Key == nil:
		return name
	default:
		return name + " " + compare(e.Key)
	}
}

func locationName(location string) string {
	switch location {
	case "query":
		return "query parameter"
	case "pathParameter":
		return "path parameter"
	default:
		return location
	}
}

// compare is a comparison in a few words.
func compare(m *seshat.Match) string {
	for _, one := range []struct {
		words string
		text  *string
	}{
		{"", m.Equals},
		{"not ", m.NotEquals},
		{"containing ", m.Contains},
		{"not containing ", m.NotContains},
		{"starting with ", m.StartsWith},
		{"ending with ", m.EndsWith},
		{"matching ", m.Matches},
		{"not matching ", m.NotMatches},
	} {
		if one.text != nil {
			return one.words + *one.text
		}
	}
	switch {
	case len(m.In) > 0:
		return strings.Join(m.In, " or ")
	case m.Exists != nil && *m.Exists:
		return "of any name"
	default:
		return ""
	}
}

// scope is a scope in a few words.
func scope(s *seshat.Scope) string {
	var out []string
	for _, list := range [][]string{s.Environments, s.Services, s.URLs} {
		if len(list) > 0 {
			out = append(out, some(list))
		}
	}
	if len(out) == 0 {
		return "everything"
	}
	return strings.Join(out, ", ")
}

// some is the first of a list, and how many more there are.
func some(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	default:
		return list[0] + " +" + strconv.Itoa(len(list)-1)
	}
}

// all is a list as one text.
func all(list []string) string { return strings.Join(list, "\n") }

// several are some values of many.
func several(list []string, found int64) string {
	text := strings.Join(list, ", ")
	if more := found - int64(len(list)); more > 0 {
		text += " and " + ui.Count(more) + " more"
	}
	return text
}

// share says which part of a whole something is.
func share(n, whole int) string {
	if whole == 0 {
		return ""
	}
	return ui.Percent(float64(n)/float64(whole)) + " of them"
}
