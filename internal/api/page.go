package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

const (
	defaultPage = 50
	// MaxPage is how many elements a page may have. All of a list at once is what NDJSON is for.
	MaxPage = 1000
)

// The orders of lists.
const (
	newestFirst = "newest"
	oldestFirst = "oldest"
)

// ListInput is what every list of the store takes. Types that are a part of others are exported, because the library
// that reads parameters looks at nothing else.
type ListInput struct {
	Accept string `header:"Accept" doc:"application/x-ndjson asks for all of the list, one JSON value a line."`
	Filter string `query:"filter" maxLength:"8192" doc:"An expression of the filter language." example:"user:alice status:>=400"`
	Since  string `query:"since" maxLength:"64" doc:"From when: a time (RFC 3339), or a length of time before now." example:"24h"`
	Until  string `query:"until" maxLength:"64" doc:"Until when, not included: as since."`
	Now    string `query:"now" maxLength:"64" doc:"The time by which active and idle sessions are told apart, and from which lengths of time count back (RFC 3339); now when it is absent."`
	Order  string `query:"order" enum:"newest,oldest" doc:"newest (the default) or oldest first."`
	Limit  int    `query:"limit" minimum:"0" maximum:"1000000000" doc:"How many at most: up to 1000 in a page (50 when absent); of NDJSON any number, and all when absent or 0."`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before. The other parameters must be the same as there."`
}

// cursor is where the next page begins, and of which list it is one. It is sent as base64 of JSON: not secret, and
// nothing that a client could make up gives it more than a filter would.
type cursor struct {
	List  []byte    `json:"l"` // digest of the parameters
	Since time.Time `json:"s,omitzero"`
	Until time.Time `json:"u,omitzero"`
	Now   time.Time `json:"n"`

	// The element that the next page begins behind.
	Time    time.Time       `json:"t,omitzero"`
	Key     uint64          `json:"k,omitempty"`
	Session *seshat.Session `json:"x,omitempty"`
}

func (c *cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // its parts are texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// listQuery is a list that is asked for.
type listQuery struct {
	store.Query
	list  []byte
	after *cursor // nil for the first page
	page  int
}

func usage(op, what, hint string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: op, Err: errors.New(what), Hint: hint}
}

// query reads the parameters of a list. What tells one list from another goes into list.
func (in *ListInput) query(fields *filter.Fields, now time.Time, list ...string) (*listQuery, error) {
	q := &listQuery{Query: store.Query{Now: now, OldestFirst: in.Order == oldestFirst}}
	if in.Now != "" {
		at, err := time.Parse(time.RFC3339Nano, in.Now)
		if err != nil {
			return nil, usage("now", "it is not a time", "such as 2026-01-02T15:04:05Z")
		}
		now, q.Now = at.UTC(), at.UTC()
	}
	list = append(list, fields.Dataset, in.Filter, in.Since, in.Until, in.Now, in.Order)
	digest := sha256.Sum256([]byte(strings.Join(list, "\x00")))
	q.list = digest[:12]
	if in.Cursor != "" {
		q.after = &cursor{}
		text, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err != nil || json.Unmarshal(text, q.after) != nil || string(q.after.List) != string(q.list) {
			return nil, usage("cursor", "it is not one of this list", "begin again without a cursor, or with the same parameters")
		}
		q.Since, q.Until, q.Now = q.after.Since, q.after.Until, q.after.Now
	} else {
		var err error
		if q.Since, err = parseTime("since", in.Since, now); err != nil {
			return nil, err
		}
		if q.Until, err = parseTime("until", in.Until, now); err != nil {
			return nil, err
		}
	}
	expr, err := filter.Parse(in.Filter, fields, q.Now)
	if err != nil {
		return nil, err
	}
	q.Filter = expr
	if wantsStream(in.Accept) {
		q.Limit = in.Limit
		return q, nil
	}
	if q.page = in.Limit; q.page == 0 {
		q.page = defaultPage
	}
	if q.page > MaxPage {
		return nil, usage("limit", "a page has at most 1000 elements", "page by page with cursor, or all of it with Accept: application/x-ndjson")
	}
	return q, nil
}

// next is the cursor behind an element.
func (q *listQuery) next(element cursor) string {
	element.List, element.Since, element.Until, element.Now = q.list, q.Since, q.Until, q.Now
	return element.String()
}

// parseTime reads a time, or a length of time before now.
func parseTime(name, text string, now time.Time) (time.Time, error) {
	if text == "" || text == "all" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UTC(), nil
	}
	if before, err := seshat.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(before)), nil
	}
	return time.Time{}, usage(name, "it is neither a time nor a length of time", "such as 2026-01-02T15:04:05Z, or 24h")
}

// both is the expression that holds when both hold; either may be nil.
func both(a, b filter.Expr) filter.Expr {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	var all []filter.Expr
	for _, e := range []filter.Expr{a, b} {
		if and, ok := e.(*filter.And); ok {
			all = append(all, and.Exprs...)
		} else {
			all = append(all, e)
		}
	}
	return &filter.And{Exprs: all}
}

// ties is how many more elements than the page has are asked for, because some have the same time as the last one of
// the page before. When that was not enough, more are asked for.
const ties = 8

// readPage reads the elements behind a cursor: read reads at most limit elements from the cursor's time on, and returns
// how many there were with those that are behind it.
func readPage[T any](q *listQuery, read func(limit int) (all int, behind []T, err error)) (page []T, more bool, err error) {
	limit := q.page + 1
	if q.after != nil {
		limit += ties
	}
	for {
		all, behind, err := read(limit)
		if err != nil {
			return nil, false, err
		}
		if len(behind) > q.page {
			return behind[:q.page], true, nil
		}
		if all < limit {
			return behind, false, nil
		}
		limit *= 4
	}
}
