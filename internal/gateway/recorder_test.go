package gateway

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/seshat-project/seshat/internal/http1"
)

// recorder is an origin that keeps what it gets, byte for byte, and answers what it is told.
type recorder struct {
	*rawOrigin
	mutex    sync.Mutex
	requests []string
}

const ok200 = "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nok"

// newRecorder starts a recorder. answer is nil for ok200; an empty text closes the connection.
func newRecorder(t testing.TB, answer func(request string) string) *recorder {
	rec := &recorder{}
	rec.rawOrigin = newRawOrigin(t, func(p *peer) {
		for {
			request, ok := readRawRequest(p.r)
			if !ok {
				return
			}
			rec.mutex.Lock()
			rec.requests = append(rec.requests, request)
			rec.mutex.Unlock()
			text := ok200
			if answer != nil {
				text = answer(request)
			}
			if text == "" {
				return
			}
			if _, err := io.WriteString(p.Conn, text); err != nil || strings.Contains(text, "Connection: close") {
				return
			}
		}
	})
	return rec
}

func (r *recorder) got() []string {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return append([]string(nil), r.requests...)
}

// readRawRequest reads a request as net/http does, and returns its bytes.
func readRawRequest(r *bufio.Reader) (string, bool) {
	var raw strings.Builder
	for {
		line, err := r.ReadString('\n')
		raw.WriteString(line)
		if err != nil {
			return "", false
		}
		if line == "\r\n" {
			break
		}
	}
	body, ok := readRawBody(r, raw.String())
	return raw.String() + body, ok
}

// readRawBody reads the body that belongs to the head of a request.
func readRawBody(r *bufio.Reader, head string) (string, bool) {
	var raw strings.Builder
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
	if err != nil {
		return "", false
	}
	if len(request.TransferEncoding) > 0 {
		var chunks http1.ChunkReader
		for !chunks.Done() {
			b, err := r.ReadByte()
			if err != nil {
				return "", false
			}
			raw.WriteByte(b)
			if _, _, reason := chunks.Next([]byte{b}); reason != http1.OK {
				return "", false
			}
		}
	} else if n := request.ContentLength; n > 0 {
		if _, err := io.CopyN(&raw, r, n); err != nil {
			return "", false
		}
	}
	return raw.String(), true
}
