package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	// heartbeatEvery is how often a stream shows that it lives when there is nothing to say: more often than proxies give up
	// on a silent connection, which many do after 30 or 60 seconds.
	heartbeatEvery = 15 * time.Second
	// reconnectAfter is what browsers are told to wait before they open a stream again that broke.
	reconnectAfter = 2 * time.Second
	eventBuffer    = 16 << 10
)

// events writes a stream of events: server-sent events (the event-stream format of the HTML standard), or lines of JSON. It
// belongs to one goroutine.
type events struct {
	out     *bufio.Writer
	control *http.ResponseController
	lines   bool
	value   bytes.Buffer
	encoder *json.Encoder
	err     error // of writing: the reader is gone
}

// newEvents begins an answer with a stream: of events, unless accept asks for lines.
func newEvents(w http.ResponseWriter, accept string) *events {
	e := &events{out: bufio.NewWriterSize(w, eventBuffer), control: http.NewResponseController(w), lines: wantsStream(accept)}
	e.encoder = json.NewEncoder(&e.value)
	e.encoder.SetEscapeHTML(false)
	h := w.Header()
	h.Set("Content-Type", wire.EventStream)
	if e.lines {
		h.Set("Content-Type", wire.NDJSON)
	}
	h.Set("X-Accel-Buffering", "no") // NGINX would wait for more
	w.WriteHeader(http.StatusOK)
	if !e.lines {
		e.text("retry: ", strconv.FormatInt(reconnectAfter.Milliseconds(), 10), "\n\n")
	}
	e.flush()
	return e
}

// send writes an event, with the position behind it if it has one. It reports whether more can be written.
func (e *events) send(event, id string, value any) bool {
	if e.err != nil {
		return false
	}
	e.value.Reset()
	if e.err = e.encoder.Encode(value); e.err != nil {
		return false
	}
	data := bytes.TrimSuffix(e.value.Bytes(), []byte("\n"))
	if e.lines {
		e.text(`{"event":"`, event, `"`)
		if id != "" {
			e.text(`,"id":"`, id, `"`)
		}
		e.text(`,"data":`)
		e.bytes(data)
		e.text("}\n")
		return e.err == nil
	}
	e.text("event: ", event, "\n")
	if id != "" {
		e.text("id: ", id, "\n")
	}
	// JSON has no line ends but between its parts, where the encoder puts none.
	e.text("data: ")
	e.bytes(data)
	e.text("\n\n")
	return e.err == nil
}

// mark says that everything up to a position was read, when there is nothing else to say of it.
func (e *events) mark(id string) {
	if e.lines {
		e.text(`{"event":"`, wire.EventHeartbeat, `","id":"`, id, "\"}\n")
		return
	}
	e.text("id: ", id, "\n\n") // with no data, nothing is dispatched but the position is kept
}

// beat shows that the stream lives, and where it is if it has positions.
func (e *events) beat(id string) bool {
	switch {
	case id != "":
		e.mark(id)
	case e.lines:
		e.text(`{"event":"`, wire.EventHeartbeat, "\"}\n")
	default:
		e.text(":\n\n")
	}
	return e.flush()
}

// end ends the stream; with a word when it is the server that does.
func (e *events) end(end *wire.End) {
	if end != nil {
		e.send(wire.EventEnd, "", end)
	}
	e.flush()
}

func (e *events) text(parts ...string) {
	for _, part := range parts {
		if e.err == nil {
			_, e.err = e.out.WriteString(part)
		}
	}
}

func (e *events) bytes(b []byte) {
	if e.err == nil {
		_, e.err = e.out.Write(b)
	}
}

// flush sends what was written. The reader has a while to take it.
func (e *events) flush() bool {
	if e.err != nil {
		return false
	}
	_ = e.control.SetWriteDeadline(time.Now().Add(idleWrite)) // servers of tests have no deadlines
	if e.err = e.out.Flush(); e.err == nil {
		_ = e.control.Flush()
	}
	return e.err == nil
}

// lastEventID is the position that a reader has come to: by the field that browsers send when they open a stream again, else
// by the parameter.
func lastEventID(field, parameter string) string {
	if field = strings.TrimSpace(field); field != "" {
		return field
	}
	return parameter
}
