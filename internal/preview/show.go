package preview

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seshat-project/seshat/internal/protect"
)

// maxShown is how many characters of a text are shown.
const maxShown = 120

// clean is a text that can be shown: at most maxShown characters, all of them printable.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if utf8.RuneCountInString(text) > maxShown {
		text = string([]rune(text)[:maxShown]) + "…"
	}
	return text
}

// looksSecret reports whether a text may be a credential: a token, or long and drawn at random.
func looksSecret(text string) bool {
	const long, random = 16, 56        // characters, bits
	if strings.Contains(text, "eyJ") { // how JSON begins in Base64
		return true
	}
	if strings.Contains(text, "@") && !strings.ContainsAny(text, " :;=") {
		return false // an address
	}
	return len(text) >= long && strings.IndexByte(text, ' ') < 0 && strings.ContainsAny(text, "0123456789") && entropy(text) >= random
}

// showUser is the name of a user as it may be shown: in plain where the rules in force name the user too.
func (t *trial) showUser(name string) string {
	if name == "" {
		return ""
	}
	if t.before.users[name] && !t.secret(name) {
		return clean(name)
	}
	return t.showValue(name)
}

// showValue is a value that a draft found as it may be shown.
func (t *trial) showValue(text string) string {
	if !t.ShowValues || looksSecret(text) || t.secret(text) {
		return protect.Mask(text)
	}
	return clean(text)
}

// secret reports whether a text is a client session ID.
func (t *trial) secret(text string) bool { return t.stats.secrets[t.Digester.Hash([]byte(text))] }

// placeTexts are paths and endpoints as they may be shown.
type placeTexts struct {
	paths     []string
	endpoints []string
}

// path is the path of the exchange at i with everything masked that is by the rules before, or by those after.
func (t *trial) path(i int) string {
	t.makePlaces()
	return t.places.paths[i]
}

// endpoint is the endpoint of the exchange at i as it may be shown.
func (t *trial) endpoint(i int) string {
	t.makePlaces()
	return t.places.endpoints[i]
}

func (t *trial) makePlaces() {
	if t.places != nil {
		return
	}
	t.places = &placeTexts{paths: make([]string, len(t.Exchanges)), endpoints: make([]string, len(t.Exchanges))}
	for i := range t.Exchanges {
		before, after := t.before.observations[i], t.after.observations[i]
		path, template := after.Path, after.Endpoint
		if before.Path != after.Path {
			path = bothMasked(before.Path, after.Path)
		}
		if before.Endpoint != after.Endpoint {
			template = bothMasked(before.Endpoint, after.Endpoint)
		}
		t.places.paths[i] = clean(path)
		t.places.endpoints[i] = clean(after.Method + " " + after.Host + template)
	}
}

// bothMasked is a path of which two forms are known, each with other parts masked: what is not the same in both is left
// out.
func bothMasked(a, b string) string {
	one, two := strings.Split(a, "/"), strings.Split(b, "/")
	if len(one) != len(two) {
		return "/…"
	}
	out := slices.Clone(one)
	for i := range one {
		if one[i] != two[i] {
			out[i] = "…"
		}
	}
	return strings.Join(out, "/")
}
