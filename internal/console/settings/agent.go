package settings

import "strings"

// browser is a user agent in a few words, for who looks for a session of theirs. Many claim to be others as well, so that the
// order counts.
func browser(agent string) string {
	name, system := first(agent, [][2]string{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
	}), first(agent, [][2]string{
		{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	})
	switch {
	case name == "":
		return agent
	case system == "":
		return name
	default:
		return name + " on " + system
	}
}

// first is the name behind the first of some marks that a text has.
func first(text string, marks [][2]string) string {
	for _, mark := range marks {
		if strings.Contains(text, mark[0]) {
			return mark[1]
		}
	}
	return ""
}
