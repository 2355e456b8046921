package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// sessions is how many sessions the load consists of.
const sessions = 200

// requestOf is the request of one session: what a browser's call of an API looks like.
func requestOf(session int) []byte {
	id := strconv.Itoa(100_000 + session)
	return []byte("GET /api/orders/1042?page=2 HTTP/1.1\r\nHost: shop.example\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: application/json\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Referer: https://shop.example/orders\r\n" +
		"Authorization: Bearer 8c2f1e7a9b3d5064f1a2" + id + "e7c9d1b3a5f70812\r\n" +
		"Cookie: SHOPSESS=Zk3vQ9xTt1" + id + "LmN8pR2s; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n")
}

var errRefused = errors.New("a request was refused")

// load sends so many requests on connections that are kept, each waiting for its answer.
func (s *subject) load(ctx context.Context, requests, connections int) (time.Duration, error) {
	start := time.Now()
	var left atomic.Int64
	left.Store(int64(requests))
	return time.Since(start), s.each(connections, func(_ int, c *connection) error {
		for ctx.Err() == nil && left.Add(-1) >= 0 {
			if err := c.exchange(); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

type connection struct {
	net.Conn
	in       *bufio.Reader
	requests [][]byte
	next     int
}

func (c *connection) exchange() error {
	if _, err := c.Write(c.requests[c.next%len(c.requests)]); err != nil {
		return err
	}
	c.next++
	status, length, err := readAnswer(c.in)
	if err == nil && (status != 200 || length != answerBytes) {
		err = fmt.Errorf("%w: status %d with %d bytes", errRefused, status, length)
	}
	return err
}

// each runs f with a connection of its own so many times at once.
func (s *subject) each(connections int, f func(n int, c *connection) error) error {
	var all sync.WaitGroup
	failed := make(chan error, connections)
	for n := range connections {
		all.Go(func() {
			conn, err := net.Dial("tcp", s.address)
			if err != nil {
				failed <- err
				return
			}
			defer func() { _ = conn.Close() }()
			c := &connection{Conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}
			for session := n; session < sessions; session += connections {
				c.requests = append(c.requests, requestOf(session))
			}
			if err := f(n, c); err != nil {
				failed <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// times are how long requests took, from when they were due.
type times []time.Duration

func (t times) quantile(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	return t[min(int(q*float64(len(t))), len(t)-1)]
}

// paced sends requests at a rate: each is due at its time, whatever became of those before, and waiting because of them
// counts.
func (s *subject) paced(ctx context.Context, rate int, d time.Duration, connections int) (times, error) {
	var mu sync.Mutex
	var out times
	gap := time.Duration(connections) * time.Second / time.Duration(rate)
	start := time.Now().Add(50 * time.Millisecond)
	err := s.each(connections, func(n int, c *connection) error {
		var own times
		due := start.Add(gap * time.Duration(n) / time.Duration(connections))
		for ; due.Before(start.Add(d)) && ctx.Err() == nil; due = due.Add(gap) {
			time.Sleep(time.Until(due))
			if err := c.exchange(); err != nil {
				return err
			}
			own = append(own, time.Since(due))
		}
		mu.Lock()
		out = append(out, own...)
		mu.Unlock()
		return nil
	})
	slices.Sort(out)
	return out, err
}
