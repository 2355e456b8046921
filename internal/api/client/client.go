package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	// dialTime is how long a connection to the instance may take to be made. It is on this machine.
	dialTime = 5 * time.Second
	// maxAnswer is how many bytes an answer that is read whole may have: all resources that fit into a registry.
	maxAnswer = 256 << 20
	prefix    = "/api/v1"
)

// Client asks one instance. It is safe for concurrent use.
type Client struct {
	address string
	base    string
	token   string
	author  string
	// within are the fields that say who a client in the same process speaks for; nil for one that has a token.
	within http.Header
	http   *http.Client
}

// New returns a client of the instance at base, such as http://127.0.0.1:9180, whose token is given. Changes are made in
// the name of author.
func New(base, token, author string) *Client {
	dialer := &net.Dialer{Timeout: dialTime}
	return &Client{
		address: strings.TrimPrefix(base, "http://"), base: base + prefix, token: token, author: author,
		// No proxy, whatever the environment says: the token is for the instance alone.
		http: &http.Client{
			Transport:     &http.Transport{DialContext: dialer.DialContext, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Close gives back the connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// request is one request to the API.
type request struct {
	method, path string
	query        url.Values
	accept       string
	contentType  string
	body         io.Reader
	header       http.Header
}

// do sends a request and returns the answer if it is a good one. Its body has to be closed.
func (c *Client) do(ctx context.Context, r request) (*http.Response, error) {
	address := c.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, r.body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if c.within != nil {
		for name, values := range c.within {
			req.Header[name] = values
		}
	} else {
		req.Header.Set("Authorization", "Bearer "+c.token)
		req.Header.Set("User-Agent", "seshat")
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if c.author != "" && r.method != http.MethodGet {
		req.Header.Set(wire.AuthorHeader, c.author)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	return nil, c.problem(ctx, res)
}

// broken is the error of a connection that cannot be made or that broke.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err // it has the whole URL, and so the filter
	}
	return &seshat.Error{
		Kind: seshat.ErrorUnavailable, Op: "ask the running instance at " + c.address, Err: err,
		Hint: "is it just stopping? try again in a moment",
	}
}

// problem is the error that an answer tells of.
func (c *Client) problem(ctx context.Context, res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return c.broken(ctx, err)
	}
	var p wire.Problem
	if err := json.Unmarshal(text, &p); err != nil || p.Status == 0 {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "ask the running instance at " + c.address, Err: fmt.Errorf("it answers with %s", res.Status),
		}
	}
	if res.StatusCode == http.StatusUnauthorized && c.within != nil {
		return fmt.Errorf("%w: %w", ErrSignedOut, p.Err())
	}
	if c.within != nil { // pages show all of it
		p.RetryAfter, _ = strconv.Atoi(res.Header.Get("Retry-After")) // 0 when there is none
		return &p
	}
	if res.StatusCode == http.StatusUnauthorized {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "ask the running instance at " + c.address, Err: errors.New("it does not know the token of this data directory"),
			Hint: "something else listens there, or the instance was just started again; try again",
		}
	}
	return p.Err()
}

// json sends a request and reads the JSON of the answer into out, which may be nil.
func (c *Client) json(ctx context.Context, r request, in, out any) error {
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.body, r.contentType = bytes.NewReader(text), wire.JSON
	}
	res, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return c.broken(ctx, err)
	}
	return nil
}

// segment is a text as one part of a path.
func segment(text string) string { return url.PathEscape(text) }
