package identify

import (
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/rule"
)

// maxLifetime is the longest lifetime that is believed. What says more is a mistake, such as milliseconds that were
// declared as seconds, or means "never".
const maxLifetime = 100 * 365 * 24 * time.Hour

// earliestEpoch is the earliest absolute expiry that is believed: the first second of the year 2000. What says less is
// a duration that was declared as an epoch.
const earliestEpoch = 946684800

// expire sets when found ends: as its identifier says, else as its cookie says, else, for what is itself a JWT, as the
// token says.
func (w *Worker) expire(id *identifier, found *seshat.FoundID, result *transformed, view viewID, i int) {
	switch e := id.Expiration; {
	case e != nil && e.JWT:
		found.ExpiresAt = found.Token.ExpiresAt
	case e != nil:
		w.attribute(e, found)
	case view == viewResponseCookie:
		found.ExpiresAt = w.setCookies[i].ExpiresAt(w.responseTime())
	}
	if id.Expiration == nil && found.ExpiresAt.IsZero() &&
		result.token != nil && result.token.raw == result.value {
		found.ExpiresAt = found.Token.ExpiresAt
	}
	if view == viewResponseMembers && found.ExpiresAt.IsZero() && found.Kind == seshat.KindAccessToken &&
		id.Expiration == nil && id.origin == seshat.OriginBuiltIn {
		w.statedLifetime(found, i)
	}
}

// statedLifetime sets the lifetime that the object of the member at index i of a response states for its access token
// (RFC 6749, section 5.1).
func (w *Worker) statedLifetime(found *seshat.FoundID, i int) {
	data := w.json(seshat.InResponse)
	c := memberCursor{data: data[w.members[seshat.InResponse][i].object:min(len(data), maxScanned)]}
	for name, value, ok := c.next(); ok; name, value, ok = c.next() {
		if c.depth != 1 || string(name) != "expires_in" && string(name) != "expiresIn" ||
			w.hidden(seshat.InResponse, seshat.LocationBody, stringOf(name)) {
			continue
		}
		if n, ok := number(w.scalar(value)); ok {
			setExpiry(rule.DurationSeconds, n, found)
		}
		return
	}
}

// responseTime is when the response was complete, which is when clients begin to count Max-Age.
func (w *Worker) responseTime() time.Time { return w.x.Time.Add(max(w.x.Duration, 0)) }

// attribute sets the expiry that the response states, if it states one that makes sense.
func (w *Worker) attribute(e *rule.Expiration, found *seshat.FoundID) {
	s := &e.Selector
	fields := w.fields(s)
	for i := range fields {
		if !s.Key.Match(fields[i].Name) || !s.Value.Match(fields[i].Value) {
			continue
		}
		value, ok := w.plain(e.Transformations, fields[i].Value)
		if !ok {
			continue
		}
		if n, ok := number(value); ok {
			setExpiry(e.Format, n, found)
			return
		}
	}
}

// plain applies transformations without telling the tracer, which follows the value of the ID.
func (w *Worker) plain(list []rule.Transformation, value string) (string, bool) {
	trace := w.trace
	w.trace = nil
	result, ok := w.transform(list, value)
	w.trace = trace
	return result.value, ok
}

// number reads a count of seconds or milliseconds. Fractions are read; what is not a finite number is not.
func number(s string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	const largest = 1e15 // beyond any time in milliseconds, and exact in a float64
	return f, err == nil && f > 0 && f < largest
}

func setExpiry(format rule.ExpirationFormat, n float64, found *seshat.FoundID) {
	switch format {
	case rule.DurationMilliseconds, rule.EpochMilliseconds:
		n /= 1000
	case rule.DurationSeconds, rule.EpochSeconds:
	}
	switch format {
	case rule.DurationSeconds, rule.DurationMilliseconds:
		if n <= maxLifetime.Seconds() {
			found.Lifetime = time.Duration(n * float64(time.Second))
		}
	case rule.EpochSeconds, rule.EpochMilliseconds:
		if n >= earliestEpoch && n <= earliestEpoch+maxLifetime.Seconds() {
			milliseconds := int64(n*1000 + 0.5)
			found.ExpiresAt = time.UnixMilli(milliseconds).UTC()
		}
	}
}
