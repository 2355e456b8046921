package terminal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// Finish says why the exchanges are one session. Nothing is added after it.
func (s *Story) Finish() {
	s.Why = append(s.Why, s.whyIdentified()...)
	s.Why = append(s.Why, s.whyLinked()...)
	s.Why = append(s.Why, s.whySure())
	if !s.Session.Previous.IsZero() {
		s.Why = append(s.Why, "The same client had session "+s.Session.Previous.String()+
			" before; another user, a sign-out or its end divides the two.")
	}
	if text := whyEnded(s.Session); text != "" {
		s.Why = append(s.Why, text)
	}
}

// whyIdentified says what the exchanges carried.
func (s *Story) whyIdentified() []string {
	slices.SortStableFunc(s.carriers, func(a, b carrier) int { return cmp.Compare(b.exchanges, a.exchanges) })
	var out []string
	of := ""
	if s.LeftOut > 0 {
		of = " of those shown"
	}
	for _, c := range s.carriers {
		count := Plural(c.exchanges, "exchange", "exchanges") + of
		verb := " have"
		if c.exchanges == 1 {
			verb = " has"
		}
		switch {
		case c.origin == seshat.OriginFallback:
			out = append(out, count+verb+" no session ID and belong"+singular(c.exchanges)+" here by "+fallbackWords(c.name)+".")
		case c.where == "" || strings.EqualFold(c.where, c.name):
			out = append(out, count+verb+" an ID that "+originWords(c.origin, c.name)+" finds.")
		default:
			out = append(out, count+verb+" an ID in "+c.where+", which "+originWords(c.origin, c.name)+" finds.")
		}
	}
	return out
}

func singular(n int64) string {
	if n == 1 {
		return "s"
	}
	return ""
}

func originWords(origin seshat.Origin, name string) string {
	if origin == seshat.OriginRule {
		return "session rule " + name
	}
	return "built-in identifier " + name
}

func fallbackWords(name string) string {
	switch name {
	case "ip":
		return "address"
	case "ip+user-agent":
		return "address and user agent"
	default:
		return name
	}
}

// whyLinked sums up the lineage.
func (s *Story) whyLinked() []string {
	certain, inferred := map[seshat.Evidence]int{}, []*Step{}
	for i := range s.Lineage {
		step := &s.Lineage[i]
		switch {
		case step.Evidence == seshat.EvidenceFirst:
		case step.Score < 1:
			inferred = append(inferred, step)
		default:
			certain[step.Evidence]++
		}
	}
	var parts []string
	total := 0
	for _, e := range []struct {
		evidence seshat.Evidence
		words    string
	}{
		{seshat.EvidenceRotation, "by rotation in one exchange"},
		{seshat.EvidenceRefresh, "by refresh"},
		{seshat.EvidenceIssued, "given out to a request of the session"},
		{seshat.EvidenceSharedClaim, "by a claim they share"},
		{seshat.EvidencePresented, "sent together with another"},
	} {
		if n := certain[e.evidence]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+e.words)
			total += n
		}
	}
	var out []string
	if total > 0 {
		out = append(out, fmt.Sprintf("After the first client session ID, %s joined with certainty: %s.",
			Plural(int64(total), "more", "more"), strings.Join(parts, ", ")))
	}
	for _, step := range inferred {
		out = append(out, fmt.Sprintf("At %s %s %s was joined by inference (%s, score %.2f).",
			Time(step.Time), step.Kind, CutValue(step.ClientSessionID), strings.TrimPrefix(evidenceWords(step.Evidence), "inferred: "), step.Score))
	}
	return out
}

func evidenceWords(e seshat.Evidence) string {
	switch e {
	case seshat.EvidenceFirst:
		return "first"
	case seshat.EvidenceRotation:
		return "rotated: the response replaced it under the same name"
	case seshat.EvidenceRefresh:
		return "refreshed: the response to a request with the old one"
	case seshat.EvidenceIssued:
		return "given out by a response to a request of the session"
	case seshat.EvidenceSharedClaim:
		return "shares a claim with a token of the session"
	case seshat.EvidencePresented:
		return "sent together with an ID of the session"
	case seshat.EvidenceDevice:
		return "inferred: no ID, but the only session of its device"
	case seshat.EvidenceTakeover:
		return "inferred: same subject and device, one token after the other"
	default:
		return string(e)
	}
}

// whySure says where the confidence comes from: what identifies the session, or its weakest link.
func (s *Story) whySure() string {
	confidence := Fraction(s.Session.Confidence)
	text := fmt.Sprintf("Confidence %.2f: ", confidence)
	for i := range s.Lineage {
		if score := s.Lineage[i].Score; score < 1 && score == confidence {
			return text + "that of its weakest link, which is inferred."
		}
	}
	switch {
	case confidence >= 1:
		return text + "a session rule says what identifies it, and every link is certain."
	case confidence >= 0.9:
		return text + "the built-in set identifies it, and every link is certain."
	case confidence >= 0.7:
		return text + "it is known by a short-lived handle, or a device without an ID was taken for it."
	case confidence >= 0.5:
		return text + "clients with one address and user agent cannot be told apart."
	default:
		return text + "clients that share an address cannot be told apart."
	}
}

func whyEnded(s *seshat.Session) string {
	at := ""
	if s.EndedAt != nil {
		at = " at " + Time(*s.EndedAt)
	}
	switch s.EndedBy {
	case seshat.EndNone:
		if s.ExpiresAt != nil {
			if s.State == seshat.StateExpired {
				return "Its last client session ID lapsed at " + Time(*s.ExpiresAt) + "."
			}
			return "Its last client session ID lapses at " + Time(*s.ExpiresAt) + "."
		}
		return ""
	case seshat.EndLogout:
		return "It ended" + at + ": the client signed out, or its session cookie was deleted."
	case seshat.EndUserSwitch:
		return "It ended" + at + ": another user signed in with the same client."
	case seshat.EndExpiry:
		return "It ended" + at + ": the last of its client session IDs lapsed."
	case seshat.EndIdle:
		return "It ended" + at + ": nothing was seen of it for longer than its idle timeout."
	case seshat.EndLifetime:
		return "It ended" + at + ": it reached the absolute lifetime that its rule sets."
	case seshat.EndRefused:
		return "It ended" + at + ": its refresh was refused."
	case seshat.EndRevoked:
		return "It was revoked" + at + "."
	default:
		return "It ended" + at + ": " + string(s.EndedBy) + "."
	}
}
