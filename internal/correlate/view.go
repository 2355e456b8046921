package correlate

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// exchangeView is an observation sorted for correlation. Its slices are reused from one exchange to the next.
type exchangeView struct {
	o         *seshat.Observation
	now       int64 // nanoseconds since the Unix epoch
	deviceKey seshat.Digest
	host      site
	origin    site

	// presented are the IDs of the request that may stand for a session, strongest first; issued those that the
	// response gave out; deleted those that it took away.
	presented []*seshat.ObservedID
	issued    []*seshat.ObservedID
	deleted   []*seshat.ObservedID

	users     []userName
	roles     []string
	success   bool // the response says that the request was accepted
	refused   bool // the response says that the credentials were not accepted
	signsIn   bool // submits credentials
	logsOut   bool
	refreshes bool // asks for new tokens
}

// userName is a user's name and where it was stated. Names from different sources cannot be compared: an e-mail
// address of a form and the subject of a token may well be one person.
type userName struct {
	source string // a parameter, or the issuer of a token
	name   string
	weak   bool // stated by the client, without proof
	token  bool // the subject of a token
}

func (x *exchangeView) read(o *seshat.Observation) {
	x.o = o
	x.now = o.Time.UnixNano()
	x.presented, x.issued, x.deleted = x.presented[:0], x.issued[:0], x.deleted[:0]
	x.users, x.roles = x.users[:0], x.roles[:0]
	x.deviceKey = seshat.Digest{}
	x.success = o.Status >= 200 && o.Status < 400 || o.Status == 0
	x.refused = o.Status == 400 || o.Status == 401 || o.Status == 403
	x.signsIn, x.logsOut, x.refreshes = false, false, false

	x.host, x.origin = siteOf(o.Host), siteOf(hostOf(o.Origin))

	for i := range o.IDs {
		id := &o.IDs[i]
		switch {
		case id.Origin == seshat.OriginFallback:
			if id.Kind == seshat.KindUserAgent || x.deviceKey.IsZero() {
				x.deviceKey = id.Digest
			}
			continue
		case id.Deleted:
			x.deleted = append(x.deleted, id)
			continue
		case id.Kind == seshat.KindClaim && id.Origin == seshat.OriginBuiltIn:
			continue // a claim counts together with its issuer: see joinClaims
		case id.Side == seshat.InResponse:
			x.issued = append(x.issued, id)
		case strengthOf(id) == strong:
			x.presented = append(x.presented, id)
		}
	}
	people := len(x.presented) > 0 || x.givesOut() || namesUser(o)
	for _, want := range [2]strength{weak, key} {
		if want == key && people {
			break // a key beside an ID of a user's is the application's, and says nothing of the session
		}
		for i := range o.IDs {
			id := &o.IDs[i]
			if id.Side == seshat.InRequest && !id.Deleted && id.Origin != seshat.OriginFallback && strengthOf(id) == want {
				x.presented = append(x.presented, id)
			}
		}
	}
	for i := range o.Flows {
		switch o.Flows[i].Type {
		case seshat.FlowAuthentication:
			x.signsIn = true
		case seshat.FlowLogout:
			x.logsOut = true
		case seshat.FlowTokenRefresh:
			x.refreshes = true
		default: // of interest to people, not to the grouping
		}
	}
	arrives := false
	for i := range o.Parameters {
		p := &o.Parameters[i]
		switch {
		case p.Type == seshat.ParameterRole:
			x.roles = append(x.roles, p.Value)
		case p.Type == seshat.ParameterUser && (!p.Weak || x.signsIn && x.success):
			x.users = append(x.users, userName{source: p.Name, name: p.Value, weak: p.Weak})
			arrives = arrives || p.Weak
		}
	}
	// Who signs in may still send the token of whoever was there before.
	tokens := [2][]*seshat.ObservedID{x.issued, x.presented}
	if arrives {
		tokens[1] = nil
	}
	for _, ids := range tokens {
		for _, id := range ids {
			if id.Token.IsToken && id.Token.Subject != "" {
				x.users = append(x.users, userName{source: id.Token.Issuer, name: id.Token.Subject, token: true})
			}
		}
	}
}

// givesOut reports whether the response gives out an ID that a session can stand on.
func (x *exchangeView) givesOut() bool {
	for _, id := range x.issued {
		if strengthOf(id) == strong {
			return true
		}
	}
	return false
}

// namesUser reports whether somebody signs in, or is named by what the server knows.
func namesUser(o *seshat.Observation) bool {
	for i := range o.Parameters {
		if p := &o.Parameters[i]; p.Type == seshat.ParameterUser && p.Weak {
			return true
		}
	}
	return false
}

// strength is what an ID can do for a session: stand for it, join what is known already, or stand for a service.
type strength uint8

const (
	strong strength = iota
	weak
	key
)

func strengthOf(id *seshat.ObservedID) strength {
	switch {
	case id.Kind == seshat.KindAPIKey:
		return key
	case id.Kind == seshat.KindTransaction && id.Origin != seshat.OriginRule:
		return weak
	default:
		return strong
	}
}

// identified reports whether the exchange carries an ID that a session can stand on, on either side.
func (x *exchangeView) identified() bool {
	for _, id := range x.presented {
		if strengthOf(id) != weak {
			return true
		}
	}
	return len(x.issued) > 0 && x.success
}

// onlyLinks reports whether the response gives out IDs, and none that a session can stand on: the steps of a sign-in
// of somebody who may be known already.
func (x *exchangeView) onlyLinks() bool {
	if len(x.issued) == 0 {
		return false
	}
	for _, id := range x.presented {
		if strengthOf(id) != weak {
			return false
		}
	}
	for _, id := range x.issued {
		if strengthOf(id) != weak {
			return false
		}
	}
	return true
}

// first is the ID that a new session of this exchange stands on.
func (x *exchangeView) first() *seshat.ObservedID {
	for _, id := range x.presented {
		if strengthOf(id) != weak {
			return id
		}
	}
	for _, id := range x.issued {
		if id.Kind != seshat.KindTransaction {
			return id
		}
	}
	if len(x.issued) > 0 {
		return x.issued[0]
	}
	return &x.o.IDs[x.o.Grouping]
}

// hostOf is the host of an origin such as "https://shop.example".
func hostOf(origin string) string {
	if _, host, ok := strings.Cut(origin, "://"); ok {
		return host
	}
	return origin
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
