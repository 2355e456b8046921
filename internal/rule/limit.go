package rule

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
)

// Limit is a compiled limit.
type Limit struct {
	Name       string
	Scope      Scope
	Endpoints  []*endpoint.Pattern // one of them must match; none means every endpoint
	Conditions []Condition         // on the request; all must hold
	Keys       []LimitKey          // counted by their combination
	Count      int
	Window     time.Duration
	Action     seshat.Action
	// For is how long a key is refused once it went over; 0 until the window has room again.
	For time.Duration
}

// KeyKind is what a limit counts apart.
type KeyKind uint8

// The kinds of keys.
const (
	KeySession KeyKind = iota
	KeyUser
	KeyClientSessionID
	KeyIP
	KeyParameter // a context parameter
	KeyClaim     // of the token that identifies the session
)

// LimitKey is one key of a limit.
type LimitKey struct {
	Kind KeyKind
	Name string // of the parameter or claim
}

// String is k as it is written in resources.
func (k LimitKey) String() string {
	switch k.Kind {
	case KeySession:
		return "session"
	case KeyUser:
		return "user"
	case KeyClientSessionID:
		return "clientSessionID"
	case KeyIP:
		return "ip"
	case KeyParameter:
		return "parameter:" + k.Name
	case KeyClaim:
		return "claim:" + k.Name
	default:
		return "unknown"
	}
}

// Bounds of limits.
const (
	// MinWindow and MaxWindow bound windows and penalties. Below a second the RateLimit fields, which have whole seconds,
	// say nothing; beyond a week nobody waits, and each key is kept in memory as long as its window.
	MinWindow = time.Second
	MaxWindow = 7 * 24 * time.Hour
	// MaxCount is the highest quota: counts have 32 bits, and the sum of a window must have them too.
	MaxCount = 100_000_000
	// MaxLimitKeys is how many keys may be combined.
	MaxLimitKeys = 4
)

const hintKey = `one of session, user, clientSessionID, ip, "parameter:NAME", "claim:NAME"`

func compileLimit(at place, name string, spec *seshat.LimitSpec) *Limit {
	l := &Limit{
		Name:       name,
		Scope:      compileScope(at.child("scope"), &spec.Scope),
		Endpoints:  compileEndpoints(at.child("endpoints"), spec.Endpoints),
		Conditions: compileConditions(at.child("conditions"), seshat.InRequest, spec.Conditions),
		Count:      spec.Count,
		Window:     time.Duration(spec.Window),
	}
	for i := range l.Conditions {
		if l.Conditions[i].Side == seshat.InResponse {
			at.child("conditions").item(i).fault("a limit is decided before there is a response", "a condition of a limit is on the request")
		}
	}
	l.Keys = compileLimitKeys(at.child("key"), spec.Key)
	if l.Count < 1 || l.Count > MaxCount {
		at.child("count").fault("to refuse everything, use the denylist", "%d is not between 1 and %d", l.Count, MaxCount)
	}
	within(at.child("window"), l.Window)
	if spec.For != nil {
		l.For = time.Duration(*spec.For)
		within(at.child("for"), l.For)
	}
	switch spec.Action {
	case "", "limit":
		l.Action = seshat.ActionLimit
	case "block":
		l.Action = seshat.ActionBlock
	case "tag":
		l.Action = seshat.ActionTag
	default:
		at.child("action").fault("one of limit, block, tag", "unknown action %q", spec.Action)
	}
	return l
}

func within(at place, d time.Duration) {
	if d < MinWindow || d > MaxWindow {
		at.fault("", "%s is not between %s and %s", seshat.Duration(d), seshat.Duration(MinWindow), seshat.Duration(MaxWindow))
	}
}

func compileLimitKeys(at place, list []string) []LimitKey {
	at.limit(len(list), MaxLimitKeys, "keys")
	if len(list) == 0 {
		at.fault(hintKey, "no key: what is counted apart")
	}
	out := make([]LimitKey, 0, len(list))
	seen := make(map[LimitKey]bool, len(list))
	for i, text := range list {
		key, ok := parseLimitKey(at.item(i), text)
		switch {
		case !ok:
		case seen[key]:
			at.item(i).fault("remove one of the two", "%s is there twice", text)
		default:
			seen[key] = true
			out = append(out, key)
		}
	}
	return out
}

func parseLimitKey(at place, text string) (LimitKey, bool) {
	kind, name, named := strings.Cut(text, ":")
	out := LimitKey{Name: name}
	switch kind {
	case "session":
		out.Kind = KeySession
	case "user":
		out.Kind = KeyUser
	case "clientSessionID":
		out.Kind = KeyClientSessionID
	case "ip":
		out.Kind = KeyIP
	case "parameter":
		out.Kind = KeyParameter
	case "claim":
		out.Kind = KeyClaim
	default:
		at.fault(hintKey, "unknown key %q", text)
		return out, false
	}
	wantsName := out.Kind == KeyParameter || out.Kind == KeyClaim
	switch {
	case wantsName && name == "":
		at.fault(`write "`+kind+`:NAME"`, "the %s has no name", kind)
		return out, false
	case !wantsName && named:
		at.fault(hintKey, "%s takes no name", kind)
		return out, false
	}
	return out, at.length(name, MaxText)
}

// compileEndpoints compiles patterns of endpoints.
func compileEndpoints(at place, list []string) []*endpoint.Pattern {
	at.limit(len(list), MaxEndpoints, "endpoints")
	var out []*endpoint.Pattern
	for i, text := range list {
		pattern, err := endpoint.ParsePattern(text)
		if err != nil {
			message, hint := endpoint.Complaint(err)
			at.item(i).fault(hint, "%q: %s", text, message)
			continue
		}
		out = append(out, pattern)
	}
	return out
}
