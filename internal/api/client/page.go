package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

// List asks for a page of a list, in the words of the API: see docs/api.md.
type List struct {
	Filter       string
	Since, Until string // times, or lengths of time before now
	Sort         string // of sessions
	OldestFirst  bool
	Limit        int // of the page
	Cursor       string
	Light        bool // of exchanges: without client session IDs, parameters and flows
}

func (l *List) query() url.Values {
	out := url.Values{}
	for name, v := range map[string]string{"filter": l.Filter, "since": l.Since, "until": l.Until, "sort": l.Sort, "cursor": l.Cursor} {
		if v != "" {
			out.Set(name, v)
		}
	}
	if l.OldestFirst {
		out.Set("order", "oldest")
	}
	if l.Limit > 0 {
		out.Set("limit", strconv.Itoa(l.Limit))
	}
	if l.Light {
		out.Set("light", "true")
	}
	return out
}

// SessionPage returns a page of sessions.
func (c *Client) SessionPage(ctx context.Context, l *List) (*wire.Page[wire.Session], error) {
	var out wire.Page[wire.Session]
	err := c.json(ctx, request{method: http.MethodGet, path: "/sessions", query: l.query()}, nil, &out)
	return &out, err
}

// SessionWithDenials returns a session, what it is refused by, and what it was.
func (c *Client) SessionWithDenials(ctx context.Context, id seshat.SessionID) (*wire.Session, error) {
	var out wire.Session
	err := c.json(ctx, request{method: http.MethodGet, path: "/sessions/" + id.String()}, nil, &out)
	return &out, err
}

// ExchangePage returns a page of exchanges.
func (c *Client) ExchangePage(ctx context.Context, l *List) (*wire.Page[wire.Exchange], error) {
	var out wire.Page[wire.Exchange]
	err := c.json(ctx, request{method: http.MethodGet, path: "/exchanges", query: l.query()}, nil, &out)
	return &out, err
}

// SessionExchangePage returns a page of the exchanges of a session.
func (c *Client) SessionExchangePage(ctx context.Context, id seshat.SessionID, l *List) (*wire.Page[wire.Exchange], error) {
	var out wire.Page[wire.Exchange]
	err := c.json(ctx, request{method: http.MethodGet, path: "/sessions/" + id.String() + "/exchanges", query: l.query()}, nil, &out)
	return &out, err
}

// WireExchange returns an exchange as the API sends it, by its own ID or key. Reveal asks for the client session IDs in clear
// that are stored so, which is written to the audit log.
func (c *Client) WireExchange(ctx context.Context, id string, reveal bool) (*wire.Exchange, error) {
	query := url.Values{}
	if reveal {
		query.Set("reveal", "true")
	}
	var out wire.Exchange
	err := c.json(ctx, request{method: http.MethodGet, path: "/exchanges/" + segment(id), query: query}, nil, &out)
	return &out, err
}
