package ruletest

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

// file is a file of tests, as it is written. The json tags are the format; docs/rule-tests.md describes it.
type file struct {
	Rules     []string          `json:"rules,omitempty"`   // files of resources, relative to this one
	Presets   []string          `json:"presets,omitempty"` // by name
	Resources []seshat.Resource `json:"resources,omitempty"`
	Tests     []test            `json:"tests"`
}

// test is one test: of one exchange, or of a sequence.
type test struct {
	Name      string      `json:"name"`
	Exchange  *exchange   `json:"exchange,omitempty"`
	Want      expectation `json:"want,omitempty"`
	Forbid    expectation `json:"forbid,omitempty"`
	Exchanges []exchange  `json:"exchanges,omitempty"`
	Sessions  [][]int     `json:"sessions,omitempty"` // of Exchanges, by index
}

// expectation is what is expected, or forbidden, of an exchange. What is not set does not matter.
type expectation struct {
	SessionIDFrom *idPattern  `json:"session_id_from,omitempty"`
	IDs           []idPattern `json:"ids,omitempty"`
	User          string      `json:"user,omitempty"`
	Roles         []string    `json:"roles,omitempty"`
	Flows         []string    `json:"flows,omitempty"`
}

// idPattern describes client session IDs. What is not set does not matter.
type idPattern struct {
	Rule  string  `json:"rule,omitempty"` // the name of the rule, or of the built-in identifier or fallback
	Index *int    `json:"index,omitempty"`
	Value *string `json:"value,omitempty"`
	Side  string  `json:"side,omitempty"`
}

// exchange has the fields of an NDJSON exchange, with short forms.
type exchange struct {
	ID          string     `json:"id,omitempty"`
	Time        *time.Time `json:"time,omitempty"`
	DurationMS  float64    `json:"duration_ms,omitempty"`
	Environment string     `json:"environment,omitempty"`
	Service     string     `json:"service,omitempty"`
	Client      client     `json:"client,omitempty"`
	Request     request    `json:"request"`
	Response    *response  `json:"response,omitempty"`
	TraceID     string     `json:"trace_id,omitempty"`
}

type client struct {
	IP  *netip.Addr `json:"ip,omitempty"`
	JA4 string      `json:"ja4,omitempty"`
}

// message is what requests and responses have in common.
type message struct {
	Headers       resource.Pairs `json:"headers,omitempty"`
	Cookies       resource.Pairs `json:"cookies,omitempty"`
	Body          string         `json:"body,omitempty"`
	BodyBase64    string         `json:"body_base64,omitempty"`
	BodyBytes     int            `json:"body_bytes,omitempty"`
	BodyTruncated bool           `json:"body_truncated,omitempty"`
}

type request struct {
	URL         string `json:"url,omitempty"` // in place of scheme, host, path and query; may begin with the method
	Method      string `json:"method,omitempty"`
	Scheme      string `json:"scheme,omitempty"`
	Host        string `json:"host,omitempty"`
	Path        string `json:"path,omitempty"`
	Query       string `json:"query,omitempty"`
	HTTPVersion string `json:"http_version,omitempty"`
	message
}

// UnmarshalText reads the short form of a request: "GET https://shop.example/cart?a=1".
func (r *request) UnmarshalText(text []byte) error {
	r.URL = string(text)
	return r.split()
}

var errBadURL = errors.New(`not a URL: write it as in "GET https://shop.example/cart?a=1"`)

// split puts the parts of URL where they belong.
func (r *request) split() error {
	if r.URL == "" {
		return nil
	}
	text := r.URL
	if method, rest, ok := strings.Cut(text, " "); ok {
		r.Method, text = method, rest
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme == "" {
		return errBadURL
	}
	r.Scheme, r.Host, r.Path, r.Query, r.URL = u.Scheme, u.Host, u.EscapedPath(), u.RawQuery, ""
	return nil
}

type response struct {
	Status int `json:"status"`
	message
}

// UnmarshalText reads the short form of a response: its status.
func (r *response) UnmarshalText(text []byte) error {
	status, err := strconv.Atoi(string(text))
	if err != nil {
		return errors.New("not a status: write it as in 200")
	}
	r.Status = status
	return nil
}
