package gateway

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
)

// upload is the body of a request on its way to the origin. Transports may read it in a goroutine of theirs, and go on for a
// while after the answer: once it was stopped, nothing of it changes.
type upload struct {
	body    io.ReadCloser
	control *http.ResponseController
	timeout time.Duration // for the next piece; 0 is none
	until   time.Time     // the deadline in force
	most    int64         // bytes; 0 is no bound
	read    int64         // from the client

	ahead   bytes.Reader // what was read before the request was judged
	trailer func()       // called once the body has ended

	mu      sync.Mutex
	stopped bool
	begun   bool // something was handed on
	capture captured
}

// errStopped is what a transport gets that still reads when the exchange is over.
var errStopped = errors.New("the exchange is over")

// errTooLarge is of a body that is longer than the configuration allows.
var errTooLarge = errors.New("the content is too large")

// readAhead reads as much of the body as identification looks at.
func (u *upload) readAhead() error {
	u.capture.wanted = true
	buffer := make([]byte, 0, bytes.MinRead)
	for {
		room := u.capture.room() - len(buffer)
		if room == 0 {
			break
		}
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := u.pull(buffer[len(buffer):min(cap(buffer), len(buffer)+room)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	u.capture.add(buffer)
	u.ahead.Reset(buffer)
	return nil
}

// pull reads from the client.
func (u *upload) pull(p []byte) (int, error) {
	if u.timeout > 0 {
		// A deadline costs a message to the connection's goroutine: it is set again when half of it is over.
		if now := time.Now(); u.until.Sub(now) < u.timeout/2 {
			u.until = now.Add(u.timeout)
			_ = u.control.SetReadDeadline(u.until) // a writer of tests may not know deadlines
		}
	}
	n, err := u.body.Read(p)
	if u.read += int64(n); u.most > 0 && u.read > u.most {
		return 0, errTooLarge
	}
	return n, err
}

// Read implements io.Reader for the transport.
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	if u.stopped {
		u.mu.Unlock()
		return 0, errStopped
	}
	u.begun = true
	if u.ahead.Len() > 0 {
		defer u.mu.Unlock()
		return u.ahead.Read(p)
	}
	u.mu.Unlock()
	n, err := u.pull(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopped {
		return 0, errStopped
	}
	u.capture.add(p[:n])
	if errors.Is(err, io.EOF) && u.trailer != nil {
		u.trailer()
		u.trailer = nil
	}
	return n, err
}

// Close implements io.Closer. The server closes the body when the exchange is over; until then a retry may need it.
func (u *upload) Close() error { return nil }

// touched reports whether a transport may have handed something on.
func (u *upload) touched() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.begun
}

// stop ends reading and returns what is known of the body.
func (u *upload) stop() seshat.Body {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	return u.capture.body()
}
