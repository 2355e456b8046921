package forwardauth

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/clientaddr"
	"github.com/seshat-project/seshat/internal/ingest"
)

// dialect is how one kind of proxy says what it was asked for. Each has a path of its own: were one path to read the
// fields of all, a client could send the fields that its proxy does not set, and be judged by a request that it did not
// make.
type dialect struct {
	// Names of fields in canonical form; empty where the dialect has none. Those that are required are there once.
	method   string // required
	target   string // path and query; required unless url is
	url      string // scheme, host, path and query
	scheme   string
	host     string
	protocol string
	length   string // of the request's body
	address  string // the one that connected to the proxy
	list     string // addresses, of which the last one connected to the proxy; when address is empty
	// refusals are the statuses that the proxy hands on. nil: all of them.
	refusals []int
}

// dialects are the dialects by the path that is asked.
var dialects = map[string]dialect{
	"/auth/nginx": {
		method: "X-Original-Method", target: "X-Original-Uri", scheme: "X-Original-Scheme", host: "X-Original-Host",
		protocol: "X-Original-Protocol", length: "X-Original-Length", address: "X-Original-Address",
		refusals: []int{http.StatusUnauthorized, http.StatusForbidden},
	},
	// What Kubernetes' ingress-nginx sends by its own template for the annotation auth-url.
	"/auth/ingress-nginx": {
		method: "X-Original-Method", url: "X-Original-Url", address: "X-Real-Ip",
		refusals: []int{http.StatusUnauthorized, http.StatusForbidden},
	},
	"/auth/traefik": forwardedDialect("X-Forwarded-Method", "X-Forwarded-Uri"),
	"/auth/caddy":   forwardedDialect("X-Forwarded-Method", "X-Forwarded-Uri"),
}

func forwardedDialect(method, target string) dialect {
	return dialect{
		method: method, target: target, scheme: "X-Forwarded-Proto", host: "X-Forwarded-Host", list: "X-Forwarded-For",
	}
}

// paths are the paths of the dialects, for whoever asked another one.
func paths() string {
	var out []string
	for path := range dialects {
		out = append(out, path)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// QuestionError says what a proxy left unsaid. It quotes nothing that was sent.
type QuestionError struct {
	Field  string
	Reason string
}

func (e *QuestionError) Error() string { return e.Field + " " + e.Reason }

// once returns the value of a field that is there at most once. A second one would be the client's.
func once(header http.Header, name string, required bool) (string, error) {
	if name == "" {
		return "", nil
	}
	values := header[name]
	switch {
	case len(values) == 1 && (values[0] != "" || !required):
		return values[0], nil
	case len(values) > 1:
		return "", &QuestionError{name, fmt.Sprintf("is there %d times: the proxy has to replace it", len(values))}
	case required:
		return "", &QuestionError{name, "is missing: the proxy has to set it"}
	}
	return "", nil
}

// read makes the exchange of the request that the proxy was sent. Its texts are the question's.
func (d *dialect) read(header http.Header, proxies *clientaddr.Resolver, x *seshat.Exchange) error {
	q := &x.Request
	var err error
	if q.Method, err = once(header, d.method, true); err != nil {
		return err
	}
	if err = d.readTarget(header, q); err != nil {
		return err
	}
	protocol, err := once(header, d.protocol, false)
	if err != nil {
		return err
	}
	q.HTTPVersion = ingest.HTTPVersion(protocol)
	length, err := once(header, d.length, false)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(length, 10, 64); err == nil && n > 0 {
		q.Body = seshat.Body{Size: n, Truncated: true}
	}
	near, rest, err := d.nearest(header)
	if err != nil {
		return err
	}
	q.Header = d.fields(header, rest)
	var client clientaddr.Client
	proxies.Resolve(clientaddr.Connection{Peer: near, TLS: q.Scheme == "https", Host: q.Host}, q.Header, &client)
	x.Client.IP, q.Scheme, q.Host = client.IP, client.Scheme, client.Host
	x.Service = ingest.Service(q.Scheme, q.Host)
	return nil
}

// readTarget reads where the request goes: scheme, host, path and query.
func (d *dialect) readTarget(header http.Header, q *seshat.Request) error {
	if d.url != "" {
		text, err := once(header, d.url, true)
		if err != nil {
			return err
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" {
			return &QuestionError{d.url, "is not an absolute URL"}
		}
		q.Scheme, q.Host = strings.ToLower(u.Scheme), u.Host
		_, rest, _ := strings.Cut(text, "://")
		q.Path, q.Query = cutTarget(rest[strings.IndexAny(rest+"/", "/?"):])
		return nil
	}
	target, err := once(header, d.target, true)
	if err != nil {
		return err
	}
	if q.Host, err = once(header, d.host, false); err != nil {
		return err
	}
	scheme, err := once(header, d.scheme, false)
	if err != nil {
		return err
	}
	switch strings.ToLower(scheme) {
	case "https", "wss":
		q.Scheme = "https"
	default:
		q.Scheme = "http"
	}
	if i := strings.Index(target, "://"); i > 0 && target[0] != '/' { // the absolute form, which some clients send
		rest := target[i+len("://"):]
		target = rest[strings.IndexAny(rest+"/", "/?"):]
	}
	q.Path, q.Query = cutTarget(target)
	return nil
}

func cutTarget(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}

// nearest returns the address that connected to the proxy, and, where that is the last one of a list, the list without
// it.
func (d *dialect) nearest(header http.Header) (address netip.Addr, rest []string, err error) {
	if d.list == "" {
		text, err := once(header, d.address, true)
		if err != nil {
			return netip.Addr{}, nil, err
		}
		if address = ingest.AddressPort(text); !address.IsValid() && !strings.HasPrefix(text, "unix:") {
			return netip.Addr{}, nil, &QuestionError{d.address, "is not an address"}
		}
		return address, nil, nil
	}
	lines := header[d.list]
	if len(lines) == 0 {
		return netip.Addr{}, nil, &QuestionError{d.list, "is missing: the proxy has to set it"}
	}
	last := lines[len(lines)-1]
	before, text := "", last
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		before, text = last[:i], last[i+1:]
	}
	if address = ingest.AddressPort(strings.TrimSpace(text)); !address.IsValid() {
		return netip.Addr{}, nil, &QuestionError{d.list, "does not end with an address"}
	}
	rest = slices.Clone(lines[:len(lines)-1])
	if strings.TrimSpace(before) != "" {
		rest = append(rest, before)
	}
	return address, rest, nil
}

// fields are the fields that the client sent, in the order of their names: that in which they were sent is lost. What
// the proxy said of the request is not among them, and neither is what belongs to its connection here.
func (d *dialect) fields(header http.Header, list []string) []seshat.Field {
	names := make([]string, 0, len(header))
	n := 0
	for name, values := range header {
		switch name {
		case d.method, d.target, d.url, d.protocol, d.length, d.address, "Connection", "Content-Length":
			continue
		case d.scheme, d.host:
			continue
		case ExchangeField:
			continue // there is none yet
		}
		names = append(names, name)
		n += len(values)
	}
	slices.Sort(names)
	out := make([]seshat.Field, 0, n)
	for _, name := range names {
		values := header[name]
		if name == d.list {
			values = list
		}
		for _, value := range values {
			out = append(out, seshat.Field{Name: name, Value: value})
		}
	}
	return out
}
