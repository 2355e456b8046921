package client

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/store"
)

var _ store.Reader = (*Client)(nil)

// parameters are a query as the API takes it.
func parameters(q *store.Query) url.Values {
	out := url.Values{}
	if q.Filter != nil {
		out.Set("filter", q.Filter.String())
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until, "now": q.Now} {
		if !at.IsZero() {
			out.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.OldestFirst {
		out.Set("order", "oldest")
	}
	if q.Limit > 0 {
		out.Set("limit", strconv.Itoa(q.Limit))
	}
	return out
}

// Sessions implements [store.Reader].
func (c *Client) Sessions(ctx context.Context, q store.Query, yield func(*seshat.Session) bool) error {
	return rows(ctx, c, request{method: http.MethodGet, path: "/sessions", query: parameters(&q)}, func(s *wire.Session) (bool, error) {
		return yield(&s.Session), nil
	})
}

// Session implements [store.Reader].
func (c *Client) Session(ctx context.Context, id seshat.SessionID) (*seshat.Session, error) {
	var out wire.Session
	if err := c.json(ctx, request{method: http.MethodGet, path: "/sessions/" + id.String()}, nil, &out); err != nil {
		return nil, err
	}
	return &out.Session, nil
}

// FindSessions implements [store.Reader].
func (c *Client) FindSessions(ctx context.Context, prefix string, limit int) ([]seshat.SessionID, error) {
	var out struct {
		Items []seshat.SessionID `json:"items"`
	}
	query := url.Values{"prefix": {prefix}, "limit": {strconv.Itoa(limit)}}
	err := c.json(ctx, request{method: http.MethodGet, path: "/lookup/sessions", query: query}, nil, &out)
	return out.Items, err
}

// Lineage implements [store.Reader].
func (c *Client) Lineage(ctx context.Context, id seshat.SessionID) ([]seshat.Link, error) {
	var out struct {
		Items []wire.Link `json:"items"`
	}
	if err := c.json(ctx, request{method: http.MethodGet, path: "/sessions/" + id.String() + "/lineage"}, nil, &out); err != nil {
		return nil, err
	}
	links := make([]seshat.Link, len(out.Items))
	for i := range out.Items {
		var err error
		if links[i], err = out.Items[i].Link(); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// Exchanges implements [store.Reader].
func (c *Client) Exchanges(ctx context.Context, q store.Query, yield func(*seshat.Assigned) bool) error {
	path, query := "/exchanges", parameters(&q)
	if !q.Session.IsZero() {
		path = "/sessions/" + q.Session.String() + "/exchanges"
	}
	if q.Light {
		query.Set("light", "true")
	}
	return rows(ctx, c, request{method: http.MethodGet, path: path, query: query}, func(x *wire.Exchange) (bool, error) {
		one, err := x.Assigned()
		if err != nil {
			return false, err
		}
		return yield(one), nil
	})
}

// Exchange implements [store.Reader].
func (c *Client) Exchange(ctx context.Context, id string) (*seshat.Assigned, error) {
	var out wire.Exchange
	// Not as a part of the path: an ID may be anything.
	r := request{method: http.MethodGet, path: "/lookup/exchange", query: url.Values{"id": {id}}}
	if err := c.json(ctx, r, nil, &out); err != nil {
		return nil, err
	}
	return out.Assigned()
}

// Span implements [store.Reader].
func (c *Client) Span(ctx context.Context) (store.Span, error) {
	var out wire.Span
	err := c.json(ctx, request{method: http.MethodGet, path: "/span"}, nil, &out)
	return store.Span{First: out.First, Last: out.Last, Exchanges: out.Exchanges}, err
}

// Export implements [store.Reader]. The file appears when it is whole.
func (c *Client) Export(ctx context.Context, what store.Dataset, format string, q store.Query, path string) (rows int64, err error) {
	query := parameters(&q)
	query.Set("format", format)
	if !q.Session.IsZero() {
		query.Set("session", q.Session.String())
	}
	op := "export " + string(what) + " to " + path
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the user named it
	if err != nil {
		return 0, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: withoutPath(err)}
	}
	rows, err = c.download(ctx, "/exports/"+string(what), query, file)
	if errFile := file.Close(); err == nil && errFile != nil {
		err = &seshat.Error{Kind: seshat.ErrorInvalid, Err: withoutPath(errFile)}
	}
	if err == nil {
		if errFile := os.Rename(part, path); errFile != nil {
			err = &seshat.Error{Kind: seshat.ErrorInvalid, Err: withoutPath(errFile)}
		}
	}
	if err != nil {
		_ = os.Remove(part) // what is wrong is said already
		var known *seshat.Error
		if errors.As(err, &known) {
			known.Op = op // the instance has another name for the file
		}
		return 0, err
	}
	return rows, nil
}

// download writes an exported file.
func (c *Client) download(ctx context.Context, path string, query url.Values, to io.Writer) (rows int64, err error) {
	res, err := c.do(ctx, request{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	if rows, err = strconv.ParseInt(res.Header.Get(wire.RowsHeader), 10, 64); err != nil {
		return 0, c.broken(ctx, errors.New("it does not say how many rows the file has"))
	}
	if _, err := io.Copy(to, res.Body); err != nil {
		var file *fs.PathError
		if errors.As(err, &file) {
			return 0, &seshat.Error{Kind: seshat.ErrorInvalid, Err: file.Err}
		}
		return 0, c.broken(ctx, err)
	}
	return rows, nil
}

// withoutPath is err without the name of the file, which is said already.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
