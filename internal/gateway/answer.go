package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/http1"
)

// say answers with a status and a sentence (RFC 9457), and announces the end of the connection.
func (c *conn) say(status int, detail string) {
	c.getWork()
	w := c.work
	body, contentType := problem(status, detail)
	w.answer = http1.AppendStatusLine(w.answer[:0], status, http.StatusText(status))
	w.answer = c.appendDate(w.answer)
	w.answer = http1.AppendField(w.answer, "Content-Type", contentType)
	w.answer = append(w.answer, "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: "...)
	w.answer = append(strconv.AppendInt(w.answer, int64(len(body)), 10), "\r\n\r\n"...)
	if w.req.Method != http.MethodHead {
		w.answer = append(w.answer, body...)
	}
	c.in.arm(&c.in.writes, c.server.config.Timeouts.Body)
	_ = c.in.write(w.answer) // the connection is closed next, whatever comes of it
	c.counts.status(status)
}

func (c *conn) sayTimeout() { c.say(http.StatusRequestTimeout, "the request did not come in time") }

func problem(status int, detail string) (body []byte, contentType string) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail})
	if err != nil {
		return nil, "application/problem+json" // texts and a number cannot fail
	}
	return append(body, '\n'), "application/problem+json"
}

func (c *conn) appendDate(dst []byte) []byte {
	dst = append(dst, "Date: "...)
	dst = append(dst, *c.server.sweeper.date.Load()...)
	return append(dst, "\r\n"...)
}

// reply sends an answer that is not the origin's. The request's body is then read to its end where that is cheap, so that
// the connection can go on; where it is not, the connection ends. It reports whether another request can follow.
func (w *work) reply(c *conn, status int, fields []seshat.Field, body []byte) bool {
	again := w.keepsOpen(c) && w.drainable()
	w.answer = http1.AppendStatusLine(w.answer[:0], status, http.StatusText(status))
	w.answer = c.appendDate(w.answer)
	for i := range fields {
		w.answer = http1.AppendField(w.answer, fields[i].Name, fields[i].Value)
	}
	if !again {
		w.answer = append(w.answer, "Connection: close\r\n"...)
	}
	if status != http.StatusNoContent {
		w.answer = append(w.answer, "Content-Length: "...)
		w.answer = append(strconv.AppendInt(w.answer, int64(len(body)), 10), "\r\n"...)
	}
	w.answer = append(w.answer, "\r\n"...)
	if w.req.Method != http.MethodHead && status != http.StatusNoContent {
		w.answer = append(w.answer, body...)
	}
	c.in.arm(&c.in.writes, c.server.config.Timeouts.Body)
	err := c.in.write(w.answer)
	c.in.arm(&c.in.writes, 0)
	c.counts.status(status)
	switch {
	case err != nil:
		return false
	case again && w.drainBody(c):
		return true
	}
	c.linger()
	return false
}
