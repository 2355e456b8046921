package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// media is a set of the kinds of bodies that something can be found in.
type media uint8

const (
	mediaJSON media = 1 << iota
	mediaForm
	mediaMultipart

	mediaFields = mediaForm | mediaMultipart // what a key finds fields in
	mediaAny    = mediaJSON | mediaFields
)

// NeedsBody reports whether anything in scope of x may find something in the body on side of x, so that the body is
// worth capturing. For the request x has the request without its body; for the response it has the request, with its
// body if that was captured, and the response without its body. It is safe for concurrent use and does not allocate.
//
// What rules, parameters and flows declare is answered by their scope and by the body's media type: it is never missed.
// The built-in set finds tokens and sign-ins, which most bodies have nothing to do with; [Engine.builtInNeedsRequest]
// and [Engine.builtInNeedsResponse] say which ones are looked at.
func (e *Engine) NeedsBody(x *seshat.Exchange, side seshat.Side) bool {
	head := e.head(x, side)
	if head.media == 0 {
		return false
	}
	if len(e.builtIn) > 0 {
		switch {
		case side == seshat.InResponse && e.builtInNeedsResponse(x),
			side == seshat.InRequest && e.builtInNeedsRequest(x, &head):
			return true
		}
	}
	return e.wanted[side].want(x, head.media)
}

// head is what the header of a message says of its body.
type head struct {
	media media
	// length is the stated number of bytes; negative when there is none.
	length int64
}

// head returns what may be found in the body on side of x: nothing when there is no body.
func (e *Engine) head(x *seshat.Exchange, side seshat.Side) head {
	h := head{length: -1}
	fields := x.Request.Header
	if side == seshat.InResponse {
		if s := x.Response.Status; s < 200 || s == 204 || s == 304 || x.Request.Method == "HEAD" {
			return h
		}
		fields = x.Response.Header
	}
	contentType, coded := "", false
	for i := range fields[:min(len(fields), maxFields)] {
		switch f := &fields[i]; len(f.Name) {
		case len("Content-Type"):
			if contentType == "" && httpfield.EqualFold(f.Name, "Content-Type") {
				contentType = f.Value
			}
		case len("Content-Length"):
			if h.length < 0 && httpfield.EqualFold(f.Name, "Content-Length") {
				h.length = contentLength(f.Value)
			}
		case len("Transfer-Encoding"):
			coded = coded || httpfield.EqualFold(f.Name, "Transfer-Encoding")
		}
	}
	switch {
	case h.length == 0:
	case e.typeHidden: // a mask rule takes the media type from identification, which then guesses
		h.media = mediaAny
	case contentType == "" && side == seshat.InRequest && h.length < 0 && !coded && !changes(x.Request.Method):
		// Without anything that announces it, there is no body.
	case contentType == "", httpfield.IsJSON(contentType):
		h.media = mediaJSON
	case httpfield.IsForm(contentType):
		h.media = mediaForm
	case httpfield.IsMultipartForm(contentType):
		h.media = mediaMultipart
	}
	return h
}

// contentLength reads a number of bytes; negative when it is none.
func contentLength(s string) int64 {
	const digits = 18 // fit an int64
	if s == "" || len(s) > digits {
		return -1
	}
	n := int64(0)
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return -1
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n
}

// changes reports whether a request with the method is one that sends something.
func changes(method string) bool {
	switch method {
	case "POST", "PUT", "PATCH":
		return true
	default:
		return false
	}
}
