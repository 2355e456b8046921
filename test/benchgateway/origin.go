package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// origin answers every request with the same 350 bytes of JSON, as cheaply as it can: it runs on the same two
// processors as what is measured.
type origin struct {
	listener net.Listener
	address  string
}

const answerBytes = 350

func startOrigin() (*origin, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	body := `{"orders":[` + strings.Repeat(`{"id":1042,"state":"shipped","total":"12.90"},`, 8)
	body = body[:answerBytes-len(`"..."]}`)] + `"..."]}`
	for len(body) < answerBytes {
		body += " "
	}
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	o := &origin{listener: listener, address: listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveOrigin(conn, answer)
		}
	}()
	return o, nil
}

func (o *origin) close() { _ = o.listener.Close() }

func serveOrigin(conn net.Conn, answer []byte) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 8<<10)
	for {
		for { // heads only: the load has no bodies
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) <= 2 {
				break
			}
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// reverseProxy is the plain proxy of Go's standard library.
func reverseProxy(address, to string) error {
	target, err := url.Parse(to)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 128},
	}
	server := &http.Server{Addr: address, Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// readAnswer reads one answer, and returns its status and the length of its body.
func readAnswer(in *bufio.Reader) (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		if first {
			if len(text) < 12 {
				return 0, 0, errors.New("no status line")
			}
			if status, err = strconv.Atoi(text[9:12]); err != nil {
				return 0, 0, err
			}
		} else if name, value, _ := strings.Cut(text, ":"); strings.EqualFold(name, "Content-Length") {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, 0, err
			}
		}
	}
	if length < 0 {
		return readChunks(in, status)
	}
	_, err = in.Discard(length)
	return status, length, err
}

func readChunks(in *bufio.Reader, status int) (_, length int, err error) {
	n, err := io.Copy(io.Discard, httputil.NewChunkedReader(in))
	if err == nil {
		_, err = in.Discard(2) // no trailers
	}
	return status, int(n), err
}
