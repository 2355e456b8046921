package identify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

const (
	// AutoShare is the share of a host's successful requests that must carry Authorization for it to be set as an
	// identifier by itself: more than one in a hundred.
	AutoShare = 0.01
	// autoLeast is how many successful requests of a host must have been seen before its share means something.
	autoLeast = 100
	// maxAutoHosts is how many hosts are counted. Host names come from clients, so their number must be bounded; the
	// hosts that were seen least make room. A host costs some 100 bytes.
	maxAutoHosts = 4096
	// maxHostLength is how long a host name may be (RFC 1035, section 2.3.4) to be counted.
	maxHostLength = 255
	// maxRuleName is how long the name of a resource may be.
	maxRuleName = 63
)

// AutoIdentifier finds the hosts whose Authorization header should be an identifier although nobody configured one.
// It counts in the order in which it observes: the same exchanges give the same suggestions. It is not safe for
// concurrent use. The zero value is ready.
type AutoIdentifier struct {
	hosts map[string]*hostCount
	clock uint64 // counts observations, to know who was seen last
}

// NewAutoIdentifier returns an AutoIdentifier that has seen nothing.
func NewAutoIdentifier() *AutoIdentifier { return &AutoIdentifier{hosts: map[string]*hostCount{}} }

type hostCount struct {
	Successes     uint64 `json:"successes"`
	Authorization uint64 `json:"authorization"`
	Last          uint64 `json:"last"`
}

// Observe counts x. Only successful requests count: an attacker's guesses say nothing about how a host works.
func (a *AutoIdentifier) Observe(x *seshat.Exchange) {
	if s := x.Response.Status; s < 200 || s > 299 {
		return
	}
	host := rule.Host(x)
	if host == "" || len(host) > maxHostLength {
		return
	}
	c := a.hosts[host]
	if c == nil {
		c = a.enter(strings.ToLower(host))
	}
	a.clock++
	c.Successes++
	c.Last = a.clock
	if value, ok := httpfield.Lookup(x.Request.Header, "Authorization"); ok && isSessionCredential(value) {
		c.Authorization++
	}
}

// sessionSchemes matches an Authorization value whose credentials are the same throughout a session: those of a scheme
// of tokens, and tokens without a scheme. Basic is not among them: an application authenticates itself with it, which
// all its users share (RFC 6749, section 2.3.1). Other schemes, such as Digest, sign each request anew.
const sessionSchemes = `^\s*(?i:(Bearer|DPoP|Token|JWT|OAuth)\s|\S+\s*$)`

// isSessionCredential is what [sessionSchemes] says, without an expression to compile.
func isSessionCredential(value string) bool {
	scheme, credentials, ok := httpfield.Authorization(value)
	if !ok {
		return false
	}
	if scheme == "" {
		return !strings.ContainsAny(credentials, " \t")
	}
	for _, s := range [...]string{"Bearer", "DPoP", "Token", "JWT", "OAuth"} {
		if rule.EqualFoldASCII(scheme, s) {
			return true
		}
	}
	return false
}

// enter returns the counter of host, which it makes if there is none. A host in capitals comes here each time, which
// is rare and does no harm.
func (a *AutoIdentifier) enter(host string) *hostCount {
	if c := a.hosts[host]; c != nil {
		return c
	}
	if a.hosts == nil {
		a.hosts = map[string]*hostCount{}
	}
	if len(a.hosts) >= maxAutoHosts {
		a.makeRoom()
	}
	c := &hostCount{}
	a.hosts[strings.Clone(host)] = c
	return c
}

// makeRoom forgets the quarter of the hosts with the fewest successes, of equal ones those that were seen longest ago.
func (a *AutoIdentifier) makeRoom() {
	names := make([]string, 0, len(a.hosts))
	for name := range a.hosts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		p, q := a.hosts[x], a.hosts[y]
		return cmp.Or(cmp.Compare(p.Successes, q.Successes), cmp.Compare(p.Last, q.Last))
	})
	for _, name := range names[:len(names)/4] {
		delete(a.hosts, name)
	}
}

// Suggested returns the hosts, sorted, on which Authorization is on more than [AutoShare] of the successful requests.
func (a *AutoIdentifier) Suggested() []string {
	var out []string
	for host, c := range a.hosts {
		if c.Successes >= autoLeast && float64(c.Authorization) > AutoShare*float64(c.Successes) {
			out = append(out, host)
		}
	}
	slices.Sort(out)
	return out
}

// MarshalJSON writes the state of a, so that counting goes on after a restart.
func (a *AutoIdentifier) MarshalJSON() ([]byte, error) {
	return json.Marshal(autoState{Version: autoVersion, Clock: a.clock, Hosts: a.hosts})
}

// UnmarshalJSON reads what MarshalJSON wrote. The receiver is unchanged if that fails.
func (a *AutoIdentifier) UnmarshalJSON(data []byte) error {
	var s autoState
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("read the state of the auto-identifier: %w", err)
	}
	if s.Version != autoVersion {
		return &seshat.Error{Kind: seshat.ErrorUnsupported, Op: "read the state of the auto-identifier", Err: fmt.Errorf("version %d", s.Version)}
	}
	for host, c := range s.Hosts {
		if c == nil {
			delete(s.Hosts, host)
		}
	}
	a.hosts, a.clock = s.Hosts, s.Clock
	return nil
}

const autoVersion = 1

type autoState struct {
	Version int                   `json:"version"`
	Clock   uint64                `json:"clock"`
	Hosts   map[string]*hostCount `json:"hosts"`
}

// AutoRule is the session rule that makes the suggestion for host visible: a resource like any other, which can be
// looked at, changed, disabled and deleted. It comes after the rules that people wrote.
func AutoRule(host string) seshat.Resource {
	priority := 10 * rule.DefaultPriority
	authorization, schemes := equals("Authorization"), matches(sessionSchemes)
	return seshat.Resource{
		APIVersion: seshat.APIVersion,
		Kind:       seshat.KindSessionRule,
		Metadata: seshat.Metadata{
			Name:        autoRuleName(host),
			Description: "Set by itself: Authorization is on more than 1 % of the successful requests to " + host + ".",
			Labels:      map[string]string{"seshat.dev/generated-by": "auto-identifier"},
		},
		Spec: &seshat.SessionRuleSpec{
			Priority: &priority,
			Scope:    seshat.Scope{URLs: []string{"^https?://" + regexp.QuoteMeta(strings.ToLower(host)) + "/"}},
			Identifiers: []seshat.Identifier{{
				Header:     "Authorization",
				Type:       seshat.KindAccessToken.String(),
				Conditions: []seshat.Condition{{Extract: seshat.Extract{Location: "header", Key: &authorization, Value: &schemes}}},
				Expiration: &seshat.Expiration{JWT: true},
			}},
		},
	}
}

// autoRuleName is "auto-authorization-<host>" as a resource may be called: a DNS label. What cannot be part of one
// becomes "-"; of a host that is too long the end is kept as a digest, so that two hosts do not share a name.
func autoRuleName(host string) string {
	var b strings.Builder
	b.WriteString("auto-authorization-")
	for _, c := range []byte(strings.ToLower(host)) {
		if c-'a' >= 26 && c-'0' >= 10 {
			c = '-'
		}
		b.WriteByte(c)
	}
	name := strings.TrimRight(b.String(), "-")
	if len(name) <= maxRuleName {
		return name
	}
	const digest = 8
	id := seshat.RuleIDFor(host).String()
	return strings.TrimRight(name[:maxRuleName-digest-1], "-") + "-" + id[:digest]
}
