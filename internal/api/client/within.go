package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// ErrSignedOut says that the caller that a client speaks for is not signed in, or not any more.
var ErrSignedOut = errors.New("not signed in")

// Within returns a client of an API in the same process. Its requests have the fields of header, which say who it speaks
// for, and are authenticated and authorized as those that come over the network are. It needs no Close.
func Within(api http.Handler, header http.Header) *Client {
	return &Client{
		address: "this process", base: "http://localhost" + prefix, within: header,
		http: &http.Client{
			Transport:     handlerTransport{api},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// handlerTransport hands requests to a handler. Answers are streamed: the handler waits while nobody reads.
type handlerTransport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	reader, writer := io.Pipe()
	w := &pipeWriter{header: http.Header{}, body: writer, began: make(chan struct{})}
	in := r.Clone(ctx)
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), r.Header.Get(remoteField), r.URL.Host
	in.Header.Del(remoteField)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	go func() {
		defer cancel()
		defer func() {
			err := error(nil)
			if failure := recover(); failure != nil {
				err = errors.New("the handler gave up")
			}
			w.WriteHeader(http.StatusOK)
			_ = writer.CloseWithError(err) // it never fails
			_ = in.Body.Close()            // nobody reads it any more
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.began:
		return &http.Response{
			Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.sent, Body: &pipeReader{reader, cancel}, ContentLength: -1, Request: r,
		}, nil
	case <-r.Context().Done():
		cancel()
		_ = reader.CloseWithError(r.Context().Err()) // it never fails
		return nil, r.Context().Err()
	}
}

// remoteField carries the address of the client that is spoken for to the handler; it does not get there as a field.
const remoteField = "Seshat-Within-Remote-Addr"

// From returns the fields of a request that say who it comes from, for [Within].
func From(r *http.Request) http.Header {
	out := http.Header{remoteField: {r.RemoteAddr}}
	for _, name := range []string{"Cookie", "Authorization", "User-Agent"} {
		if v := r.Header.Values(name); len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

type pipeReader struct {
	*io.PipeReader
	cancel context.CancelFunc
}

// Close ends the handler as well.
func (r *pipeReader) Close() error {
	r.cancel()
	return r.PipeReader.Close()
}

// pipeWriter is the response as the handler sees it.
type pipeWriter struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	status int
	sent   http.Header
	began  chan struct{}
}

// Header implements [http.ResponseWriter].
func (w *pipeWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *pipeWriter) WriteHeader(status int) {
	if status < http.StatusOK {
		return
	}
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.began)
	})
}

// Write implements [http.ResponseWriter].
func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush implements [http.Flusher]: nothing is kept back.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }
