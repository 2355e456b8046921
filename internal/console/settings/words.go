package settings

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// permission is something that somebody may do, in words.
type permission struct{ name, words string }

// permissions are what roles and scopes are made of, as people read them.
func permissions() []permission {
	return []permission{
		{"sessions:read", "see sessions"},
		{"exchanges:read", "see exchanges, with secrets masked"},
		{"resources:read", "see rules, limits and settings"},
		{"denylist:read", "see the denylist"},
		{"status:read", "see how the instance is"},
		{"views:own", "keep views of one's own"},
		{"account:own", "change one's own password, and see one's own sessions and tokens"},
		{"views:share", "share views with everybody"},
		{"denylist:write", "end sessions, and refuse users"},
		{"rules:try", "explain exchanges, and try rules before they are saved"},
		{"exchanges:reveal", "see client session IDs that are stored in clear"},
		{"exchanges:export", "take traffic away as files"},
		{"imports:write", "import traffic"},
		{"resources:write", "change rules, limits and settings"},
		{"users:read", "see who may sign in, and their sessions and tokens"},
		{"users:write", "add and change users, which gives everything"},
		{"audit:read", "read the audit log"},
	}
}

// permissionWords is what a permission lets somebody do.
func permissionWords(name string) string {
	for _, p := range permissions() {
		if p.name == name {
			return p.words
		}
	}
	return name
}

// roles are what a user may be.
func roles() []editor.Option {
	return []editor.Option{
		{Value: "viewer", Name: "viewer: sees everything, with secrets masked, and changes nothing"},
		{Value: "analyst", Name: "analyst: also ends sessions, tries rules, exports and reveals"},
		{Value: "admin", Name: "admin: everything, also rules, settings and users"},
	}
}

func roleKind(role string) string {
	switch role {
	case "admin", "owner":
		return "warn"
	case "analyst":
		return "info"
	default:
		return ""
	}
}

// roleWords says what a role is for.
func roleWords(role string) string {
	if role == "owner" {
		return "You came by a link of the owner of the data directory: you may do everything, without a user of your own, until the link ends."
	}
	for _, r := range roles() {
		if r.Value == role {
			_, words, _ := strings.Cut(r.Name, ": ")
			return words
		}
	}
	return ""
}

// howWords says how somebody signed in.
func howWords(how string) string {
	switch how {
	case "password":
		return "password"
	case "link":
		return "one-time link"
	case "oidc":
		return "OpenID provider"
	case "owner":
		return "link of the owner"
	default:
		return how
	}
}

// signsIn says how a user can sign in.
func signsIn(u *wire.User) string {
	switch {
	case u.Issuer != "" && u.HasPassword:
		return "OpenID provider, password"
	case u.Issuer != "":
		return "OpenID provider"
	case u.HasPassword:
		return "password"
	default:
		return "not yet: needs a link"
	}
}

// expires says when a token ends; its kind is the colour.
func expires(t *wire.APIToken, now time.Time) (words, kind string) {
	const soon = 7 * 24 * time.Hour
	switch left := t.ExpiresAt.Sub(now); {
	case t.ExpiresAt.IsZero():
		return "never", "warn"
	case left <= 0:
		return "ended", "bad"
	case left < soon:
		return "in " + ui.Length(left), "warn"
	default:
		return "in " + ui.Length(left.Truncate(time.Hour)), ""
	}
}

// outcomeKind is the colour of what became of something.
func outcomeKind(outcome string) string {
	switch outcome {
	case "done":
		return "good"
	case "refused":
		return "warn"
	case "failed":
		return "bad"
	default:
		return ""
	}
}

// sentenceName is a name of the API as one that stands at the beginning.
func sentenceName(name string) string {
	return strings.TrimSuffix(sentence(name), ".")
}
