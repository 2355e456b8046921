package editor

import (
	"github.com/seshat-project/seshat"
)

// The locations of an exchange, as resources call them.
const (
	locationHeader        = "header"
	locationCookie        = "cookie"
	locationQuery         = "query"
	locationPathSegment   = "pathSegment"
	locationPathParameter = "pathParameter"
	locationBody          = "body"
	locationStatus        = "status"
	locationClientIP      = "clientIP"
	locationUserAgent     = "userAgent"
	locationJA4           = "ja4"
)

// Purpose is what a place in an exchange is looked for; it decides which places there are.
type Purpose uint8

// The purposes.
const (
	ToExtract Purpose = iota // a value
	ToCheck                  // a condition
	ToExpire                 // an expiry, in a response
	ToMask                   // a value that is removed
)

// keyed reports whether the parts of a location have names.
func keyed(location string) bool {
	switch location {
	case locationHeader, locationCookie, locationQuery, locationPathParameter, locationBody:
		return true
	default:
		return false
	}
}

// PutExtract fills in a place.
func (f *Form) PutExtract(path string, e *seshat.Extract) {
	f.put(path+".location", e.Location)
	f.PutMatch(path+".key", e.Key, true)
	f.put(path+".jsonPath", e.JSONPath)
	f.PutNumber(path+".segment", e.Segment)
	f.PutMatch(path+".value", e.Value, false)
	// What a location does not have is not read again; see Extract.
	if e.Key != nil && !keyed(e.Location) {
		f.lose(path + ".key")
	}
	if e.JSONPath != "" && e.Location != locationBody {
		f.lose(path + ".jsonPath")
	}
	if e.Segment != nil && e.Location != locationPathSegment {
		f.lose(path + ".segment")
	}
}

// Extract reads a place. What is filled in and is not of its location is what was chosen before; it says nothing.
func (f *Form) Extract(path string) seshat.Extract {
	e := seshat.Extract{Location: f.Get(path + ".location")}
	if keyed(e.Location) {
		e.Key = f.Match(path+".key", true)
	}
	switch e.Location {
	case locationBody:
		e.JSONPath = f.Get(path + ".jsonPath")
	case locationPathSegment:
		e.Segment = f.Number(path + ".segment")
	}
	e.Value = f.Match(path+".value", false)
	return e
}

// PutConditions fills in a list of conditions.
func (f *Form) PutConditions(list string, conditions []seshat.Condition) {
	f.PutList(list, len(conditions))
	for i := range conditions {
		path := at(list, i)
		f.put(path+".in", conditions[i].In)
		f.PutExtract(path, &conditions[i].Extract)
	}
}

// Conditions reads a list of conditions.
func (f *Form) Conditions(list string) []seshat.Condition {
	var out []seshat.Condition
	for i := range f.Items(list) {
		path := at(list, i)
		out = append(out, seshat.Condition{In: f.Get(path + ".in"), Extract: f.Extract(path)})
	}
	return out
}
