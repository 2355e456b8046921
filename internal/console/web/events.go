package web

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// eventTime is how long a browser may take to take an event.
const eventTime = 10 * time.Second

var errNoEvents = errors.New("the stream ended before it began")

// Events is an answer of server-sent events, each a part of a page. It begins with the first of them: what goes wrong
// before is answered as on every other page.
type Events struct {
	q       *Request
	control *http.ResponseController
	begun   bool
}

// Events returns the answer to a request for events.
func (q *Request) Events() *Events {
	return &Events{q: q, control: http.NewResponseController(q.W)}
}

// Send sends an event. A browser that comes again after it lost the connection names the last ID that was not empty.
func (e *Events) Send(id, name string, part templ.Component) error {
	var text bytes.Buffer
	if err := part.Render(e.q.Frame(), &text); err != nil {
		return err
	}
	if !e.begun {
		e.begun = true
		e.q.W.Header().Set("Content-Type", wire.EventStream)
		e.q.W.WriteHeader(http.StatusOK)
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(eventTime)) // a writer of tests has none
	if _, err := e.q.W.Write(event(id, name, text.String())); err != nil {
		return err
	}
	return e.control.Flush()
}

// End is what a handler returns that sent events until err, which may be nil: a browser that lost them comes again by
// itself, unless nobody is signed in any more.
func (e *Events) End(err error) error {
	switch {
	case e.begun || e.q.Context().Err() != nil:
		return nil // the answer has begun; the browser asks again
	case err == nil:
		return errNoEvents
	case errors.Is(err, client.ErrSignedOut):
		e.q.W.WriteHeader(http.StatusNoContent) // which tells the browser not to come again
		return nil
	default:
		return err
	}
}

// event is an event as it is written: each line of its data is marked as such, and CR, which would end a line, is left out.
func event(id, name, data string) []byte {
	var out bytes.Buffer
	if id != "" {
		out.WriteString("id: " + id + "\n")
	}
	out.WriteString("event: " + name + "\ndata: ")
	out.WriteString(strings.NewReplacer("\r", "", "\n", "\ndata: ").Replace(data))
	out.WriteString("\n\n")
	return out.Bytes()
}
