package ruletest

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

// build makes the exchange at position i of a sequence. What is not written gets a value that is the same in every
// run: a second between exchanges, one address, GET, and the status 200.
func (e *exchange) build(i int) (seshat.Exchange, string, error) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out := seshat.Exchange{
		ID: e.ID, Time: start.Add(time.Duration(i) * time.Second), Duration: time.Duration(e.DurationMS * float64(time.Millisecond)),
		Environment: e.Environment, Service: e.Service, TraceID: e.TraceID,
		Client: seshat.Client{IP: netip.AddrFrom4([4]byte{192, 0, 2, 1}), JA4: e.Client.JA4},
	}
	if e.Time != nil {
		out.Time = *e.Time
	}
	if e.Client.IP != nil {
		out.Client.IP = *e.Client.IP
	}
	r := e.Request
	if err := r.split(); err != nil {
		return out, "request.url", err
	}
	if r.Path == "" {
		r.Path = "/"
	}
	if path, query, ok := strings.Cut(r.Path, "?"); ok {
		r.Path, r.Query = path, query
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	out.Request = seshat.Request{
		Method: r.Method, Scheme: r.Scheme, Host: r.Host, Path: r.Path, Query: r.Query, HTTPVersion: r.HTTPVersion,
		Header: fieldsOf(r.Headers),
	}
	if cookies := joinCookies(r.Cookies); cookies != "" {
		out.Request.Header = append(out.Request.Header, seshat.Field{Name: "Cookie", Value: cookies})
	}
	if out.Request.Host == "" {
		out.Request.Host = headerValue(r.Headers, "Host")
	}
	if out.Service == "" {
		out.Service = out.Request.Host
	}
	var err error
	if out.Request.Body, err = r.body(); err != nil {
		return out, "request.body_base64", err
	}
	if e.Response == nil {
		return out, "", nil
	}
	out.Response = seshat.Response{Status: e.Response.Status, Header: fieldsOf(e.Response.Headers)}
	for _, c := range e.Response.Cookies {
		out.Response.Header = append(out.Response.Header, seshat.Field{Name: "Set-Cookie", Value: c.Name + "=" + c.Value})
	}
	if out.Response.Body, err = e.Response.body(); err != nil {
		return out, "response.body_base64", err
	}
	return out, "", nil
}

func fieldsOf(pairs resource.Pairs) []seshat.Field {
	var out []seshat.Field
	for _, p := range pairs {
		out = append(out, seshat.Field(p))
	}
	return out
}

func joinCookies(cookies resource.Pairs) string {
	parts := make([]string, len(cookies))
	for i, c := range cookies {
		parts[i] = c.Name + "=" + c.Value
	}
	return strings.Join(parts, "; ")
}

func headerValue(headers resource.Pairs, name string) string {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

func (m *message) body() (seshat.Body, error) {
	out := seshat.Body{Bytes: []byte(m.Body), Size: int64(m.BodyBytes), Truncated: m.BodyTruncated}
	if m.BodyBase64 != "" {
		decoded, err := base64.StdEncoding.DecodeString(m.BodyBase64)
		if err != nil {
			return out, errors.New("not Base64")
		}
		out.Bytes = decoded
	}
	out.Size = max(out.Size, int64(len(out.Bytes)))
	return out, nil
}
