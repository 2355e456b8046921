package rule

import (
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// ExpirationFormat says how an expiry attribute is to be read.
type ExpirationFormat uint8

// The formats of expiry attributes. Durations count from the first time the session ID is seen.
const (
	DurationSeconds ExpirationFormat = iota
	DurationMilliseconds
	EpochSeconds
	EpochMilliseconds
)

var formatNames = [...]string{"durationSeconds", "durationMilliseconds", "epochSeconds", "epochMilliseconds"}

func (f ExpirationFormat) String() string {
	if int(f) < len(formatNames) {
		return formatNames[f]
	}
	return "unknown"
}

// Expiration is a compiled expiration.
type Expiration struct {
	// JWT says that the "exp" of the token counts; the other fields are then not set.
	JWT             bool
	Selector        Selector // always in the response
	Transformations []Transformation
	Format          ExpirationFormat
}

func compileExpiration(at place, e *seshat.Expiration) *Expiration {
	switch {
	case e == nil:
		return nil
	case e.JWT && e.Attribute != nil:
		at.fault("keep one of them", "both jwt and attribute")
		return nil
	case e.JWT:
		return &Expiration{JWT: true}
	case e.Attribute == nil:
		at.fault("jwt: true, or attribute", "neither jwt nor attribute")
		return nil
	}
	at = at.child("attribute")
	out := &Expiration{
		// The side counts as written: an attribute is found in the response, whichever side the identifier is on.
		Selector:        compileSelector(at, seshat.InResponse, true, &e.Attribute.Extract, toExtract),
		Transformations: compileTransformations(at.child("transformations"), e.Attribute.Transformations),
	}
	i := slices.Index(formatNames[:], e.Attribute.Format)
	if i < 0 {
		hint := "one of " + strings.Join(formatNames[:], ", ")
		if e.Attribute.Format == "" {
			at.child("format").fault(hint, "no format")
		} else {
			at.child("format").fault(hint, "unknown format %q", e.Attribute.Format)
		}
		return out
	}
	out.Format = ExpirationFormat(i) //nolint:gosec // an index of a short array
	return out
}
