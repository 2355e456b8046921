package extproc

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// readResponse fills in the response of x from the header of m. Texts are those of m.
func readResponse(x *seshat.Exchange, m *incoming) {
	r := &x.Response
	for i := range m.fields {
		f := &m.fields[i]
		if !strings.HasPrefix(f.Name, ":") {
			r.Header = append(r.Header, *f)
			continue
		}
		if f.Name == ":status" {
			if status, err := strconv.Atoi(f.Value); err == nil && status >= 100 && status <= 999 {
				r.Status = status
			}
		}
	}
	if !m.end {
		r.Body.Size = announced(r.Header)
	}
}

// bodyIsRead reports whether a response may have a body that something could be looked for in: not a stream of events or of
// messages, which has no end.
func bodyIsRead(x *seshat.Exchange) bool {
	if s := x.Response.Status; s < 200 || s == http.StatusNoContent || s == http.StatusNotModified || x.Request.Method == http.MethodHead ||
		x.Request.Method == http.MethodConnect {
		return false
	}
	contentType, _ := httpfield.Lookup(x.Response.Header, "content-type")
	return !isGRPC(contentType) && !strings.EqualFold(httpfield.MediaType(contentType), "text/event-stream")
}
