package session

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/filter"
)

// now is the time at which a page is made.
type now struct{ time.Time }

const anonymous = "anonymous"

func who(s *wire.Session) string {
	if s.User != "" {
		return s.User
	}
	return anonymous
}

// stamp is a time as the API takes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// decider is what decided a verdict, in words: an entry of the denylist has a long name that says no more.
func decider(by string) string {
	if strings.HasPrefix(by, "Denylist/") {
		return "the denylist"
	}
	return by
}

// sure is a confidence in words.
func sure(confidence float64, links []seshat.Link) (word, why string) {
	for i := range links {
		if links[i].Score < 1 && links[i].Evidence != seshat.EvidenceFirst {
			why = "its weakest link is inferred"
			break
		}
	}
	switch {
	case confidence >= 1:
		return "certain", "a session rule says what identifies it, and every link is certain"
	case confidence >= 0.9:
		return "very likely", orElse(why, "the built-in set identifies it, and every link is certain")
	case confidence >= 0.7:
		return "likely", orElse(why, "it is known by a short-lived handle, or a device without an ID was taken for it")
	case confidence >= 0.5:
		return "uncertain", orElse(why, "clients with one address and user agent cannot be told apart")
	default:
		return "a guess", orElse(why, "clients that share an address cannot be told apart")
	}
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// originOf is which set of identifiers a session is known by: rule, built-in or fallback; empty when that is not known.
func originOf(s *wire.Session, rows []wire.Exchange) string {
	switch s.IdentifiedBy {
	case "ip", "ip+user-agent":
		return seshat.OriginFallback.String()
	}
	for i := range rows {
		for j := range rows[i].ClientSessionIDs {
			if id := &rows[i].ClientSessionIDs[j]; id.Name == s.IdentifiedBy {
				return id.Origin
			}
		}
	}
	return ""
}

// ending says why a session ended, or what will end it.
func ending(s *wire.Session, at now) string {
	switch s.EndedBy {
	case seshat.EndNone:
	case seshat.EndLogout:
		return "the client signed out, or its session cookie was deleted"
	case seshat.EndUserSwitch:
		return "another user signed in with the same client"
	case seshat.EndExpiry:
		return "the last of its client session IDs lapsed"
	case seshat.EndIdle:
		return "nothing was seen of it for longer than its idle timeout"
	case seshat.EndLifetime:
		return "it reached the lifetime that its rule sets"
	case seshat.EndRefused:
		return "its refresh was refused"
	case seshat.EndRevoked:
		return "it was revoked"
	default:
		return string(s.EndedBy)
	}
	switch {
	case s.State == seshat.StateExpired:
		return "the last of its client session IDs lapsed"
	case s.ExpiresAt != nil && s.ExpiresAt.After(at.Time):
		return "its last client session ID lapses in " + ui.Length(s.ExpiresAt.Sub(at.Time))
	default:
		return ""
	}
}

// evidence says why a client session ID belongs to a session.
func evidence(e seshat.Evidence) string {
	switch e {
	case seshat.EvidenceFirst:
		return "the session began with it"
	case seshat.EvidenceRotation:
		return "the response put it in place of the old one, under the same name"
	case seshat.EvidenceRefresh:
		return "it came in the response to a refresh with the old one"
	case seshat.EvidenceIssued:
		return "a response to a request of the session gave it out"
	case seshat.EvidenceSharedClaim:
		return "it shares a claim with a token of the session"
	case seshat.EvidencePresented:
		return "it was sent together with an ID of the session"
	case seshat.EvidenceDevice:
		return "inferred: no ID, but the only session of its device"
	case seshat.EvidenceTakeover:
		return "inferred: same subject and device, one token after the other"
	default:
		return string(e)
	}
}

// short is evidence in a word, as the graph has it.
func short(e seshat.Evidence, score float64) string {
	word := string(e)
	switch e {
	case seshat.EvidenceSharedClaim:
		word = "shared claim"
	case seshat.EvidencePresented:
		word = "sent together"
	case seshat.EvidenceDevice:
		word = "same device"
	default:
	}
	if score > 0 && score < 1 {
		word += fmt.Sprintf(" %.2f", score)
	}
	return word
}

// kindWords is what a client session ID is for.
func kindWords(kind string) string {
	switch kind {
	case "accessToken":
		return "access token"
	case "refreshToken":
		return "refresh token"
	case "authorizationCode":
		return "authorization code"
	case "apiKey":
		return "API key"
	case "userAgent":
		return "address and user agent"
	case "session":
		return "session ID"
	default:
		return kind
	}
}

// masked is a client session ID as it may be shown; those of the fallback have none of their own.
func masked(text, kind string) string {
	if text == "" {
		return "(" + kindWords(kind) + ")"
	}
	return text
}

// program is a user agent in a word or two: what people look for in it.
func program(userAgent string) string {
	for _, known := range []struct{ has, name string }{
		{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "headless Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	} {
		if strings.HasPrefix(userAgent, "Mozilla/") && strings.Contains(userAgent, known.has) {
			for _, system := range []struct{ has, name string }{
				{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
			} {
				if strings.Contains(userAgent, system.has) {
					return known.name + " on " + system.name
				}
			}
			return known.name
		}
	}
	return clip(userAgent, mostProgram)
}

// mostProgram is how many characters of a user agent that is none of a browser are shown in a sentence.
const mostProgram = 40

// clip is the beginning of a text.
func clip(text string, most int) string {
	count := 0
	for i := range text {
		if count == most {
			return text[:i] + "…"
		}
		count++
	}
	return text
}

// mostFacts is how many values of one kind the facts list.
const mostFacts = 6

// mostDevices is how many networks and devices are listed.
const mostDevices = 12

func firstOf(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return list[0]
}

func listed(list []string) string {
	if len(list) > mostFacts {
		return strings.Join(list[:mostFacts], ", ") + " and " + ui.Count(len(list)-mostFacts) + " more"
	}
	return strings.Join(list, ", ")
}

// sessionsOf is the list of sessions that have a value.
func sessionsOf(field, value string) string {
	return web.Address("/sessions", url.Values{"filter": {field + ":" + quoted(value)}, "since": {whole}})
}

// quoted is a value as the filter language takes it, whatever characters it has.
func quoted(value string) string { return filter.Pattern{value}.String() }

// legendEntry names a mark.
type legendEntry struct {
	mark mark
	name string
}

func markLegend() []legendEntry {
	return []legendEntry{
		{markOf(wire.MomentStart), "start"},
		{markOf(wire.MomentSignIn), "sign-in"},
		{markOf(wire.MomentRefresh), "new ID or refresh"},
		{markOf(wire.MomentAddress), "other network or device"},
		{markOf(wire.MomentSignInRefused), "refused by the origin, or tagged"},
		{markOf(wire.MomentRefused), "refused or revoked"},
		{markOf(wire.MomentEnd), "end"},
	}
}

// maskedOf are the client session IDs of a lineage as they may be shown.
func maskedOf(links []seshat.Link) map[seshat.Digest]string {
	out := make(map[seshat.Digest]string, len(links))
	for i := range links {
		if !links[i].To.IsZero() {
			out[links[i].To] = links[i].Masked
		}
	}
	return out
}

// rowTime is the time of a row: with the day where that is another one than before.
func rowTime(p *page, i int) string {
	x := &p.list.rows[i]
	before := p.list.earlier(i)
	if before == nil || before.Time.UTC().YearDay() != x.Time.UTC().YearDay() {
		return x.Time.UTC().Format("01-02 ") + ui.Clock(x.Time)
	}
	return ui.Clock(x.Time)
}

func detailAddress(id string, x *wire.Exchange) string {
	return "/sessions/" + id + "/exchanges/" + x.Key
}

func anchorOf(x *wire.Exchange) string {
	return "/sessions/" + x.SessionID + "?at=" + x.Key + "#x-" + x.Key
}

func protocol(x *wire.Exchange) string {
	if x.HTTPVersion == "" {
		return ""
	}
	return " over HTTP/" + x.HTTPVersion
}

func flowNames(x *wire.Exchange) string {
	names := make([]string, len(x.Flows))
	for i, f := range x.Flows {
		names[i] = f.Name
		if f.Type != f.Name {
			names[i] += " (" + f.Type + ")"
		}
	}
	return strings.Join(names, ", ")
}

func tokenWords(t *wire.Token) string {
	if t == nil {
		return "–"
	}
	var parts []string
	for _, claim := range []struct{ name, value string }{{"sub", t.Subject}, {"iss", t.Issuer}} {
		if claim.value != "" {
			parts = append(parts, claim.name+" "+claim.value)
		}
	}
	if !t.IssuedAt.IsZero() {
		parts = append(parts, "issued "+ui.Stamp(t.IssuedAt))
	}
	if !t.ExpiresAt.IsZero() {
		parts = append(parts, "expires "+ui.Stamp(t.ExpiresAt))
	}
	if len(parts) == 0 {
		return "JWT"
	}
	return strings.Join(parts, ", ")
}

func removal(s *wire.Session, d *seshat.Denial) string {
	return address(s.ID) + "/denials/" + url.PathEscape(d.Name) + "/remove"
}

// denialTitle says what an entry of the denylist refuses.
func denialTitle(s *wire.Session, d *seshat.Denial) string {
	switch {
	case d.Session == s.ID:
		return "This session is revoked"
	case d.User != "" && !d.IssuedBefore.IsZero():
		return "The sessions of " + d.User + " before " + ui.Stamp(d.IssuedBefore) + " UTC are revoked"
	case d.User != "":
		return "Everything of " + d.User + " is refused"
	case !d.IssuedBefore.IsZero():
		return "Everything issued before " + ui.Stamp(d.IssuedBefore) + " UTC is refused"
	case !d.Session.IsZero():
		return "A session that belongs to this one is revoked"
	default:
		return "A client session ID of this session is refused"
	}
}

// when is the time of a line of the story: with the day where that is another one than before.
func when(events []event, i int) string {
	at := events[i].Time.UTC()
	if i == 0 || events[i-1].Time.UTC().YearDay() != at.YearDay() {
		return ui.Stamp(at)
	}
	return at.Format(time.TimeOnly)
}
