package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"runtime/debug"

	"github.com/seshat-project/seshat"
)

// The parts of an HTTP archive, version 1.2. Members that the format does not know begin with "_", as it wants.
type (
	harEntry struct {
		Started  string      `json:"startedDateTime"`
		Time     float64     `json:"time"` // milliseconds
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`

		ID          string   `json:"_id"`
		SessionID   string   `json:"_session_id"`
		User        string   `json:"_user,omitempty"`
		ClientIP    string   `json:"_client_ip,omitempty"`
		Environment string   `json:"_environment,omitempty"`
		Service     string   `json:"_service,omitempty"`
		Flows       []string `json:"_flows,omitempty"`
		TraceID     string   `json:"_trace_id,omitempty"`

		Verdict *exportedVerdict `json:"_verdict,omitempty"`
	}
	harRequest struct {
		Method      string    `json:"method"`
		URL         string    `json:"url"`
		HTTPVersion string    `json:"httpVersion"`
		Cookies     []harPair `json:"cookies"`
		Headers     []harPair `json:"headers"`
		QueryString []harPair `json:"queryString"`
		HeadersSize int64     `json:"headersSize"`
		BodySize    int64     `json:"bodySize"`
	}
	harResponse struct {
		Status      int        `json:"status"` // 0 when no response was seen, as browsers write it
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []harPair  `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int64      `json:"headersSize"`
		BodySize    int64      `json:"bodySize"`
	}
	harContent struct {
		Size     int64  `json:"size"`
		MimeType string `json:"mimeType"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Comment string `json:"comment"`
	}
)

const (
	// harUnknown is how the format writes a size that is not known.
	harUnknown = -1
	// harNoType is the media type of content whose type is not known.
	harNoType = "x-unknown"
	harNote   = "Only what Seshat keeps: no headers but User-Agent, no cookies, no queries, no bodies; IDs in paths are masked."
)

// harWriter begins an archive and returns what writes one entry, and what ends it.
func harWriter(out *bufio.Writer, encoder *json.Encoder) (write func(*seshat.Assigned) error, end func() error, err error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	if _, err := out.WriteString(`{"log":{"version":"1.2","creator":`); err != nil {
		return nil, nil, err
	}
	if err := encoder.Encode(harCreator{"Seshat", version, harNote}); err != nil {
		return nil, nil, err
	}
	_, err = out.WriteString(`,"entries":[` + "\n")
	first := true
	write = func(x *seshat.Assigned) error {
		if !first {
			if err := out.WriteByte(','); err != nil {
				return err
			}
		}
		first = false
		return encoder.Encode(newHAREntry(x))
	}
	return write, func() error { _, err := out.WriteString("]}}\n"); return err }, err
}

func newHAREntry(x *seshat.Assigned) *harEntry {
	version := ""
	if x.HTTPVersion != "" {
		version = "HTTP/" + x.HTTPVersion
	}
	scheme := x.Scheme
	if scheme == "" {
		scheme = "https" // as everywhere, when it is not known
	}
	headers := []harPair{}
	if x.UserAgent != "" {
		headers = append(headers, harPair{"User-Agent", x.UserAgent})
	}
	took := milliseconds(x)
	return &harEntry{
		Started: x.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), Time: took,
		Request: harRequest{
			Method: x.Method, URL: scheme + "://" + x.Host + x.Path, HTTPVersion: version, Cookies: []harPair{},
			Headers: headers, QueryString: []harPair{}, HeadersSize: harUnknown, BodySize: x.RequestBytes,
		},
		Response: harResponse{
			Status: x.Status, StatusText: http.StatusText(x.Status), HTTPVersion: version, Cookies: []harPair{},
			Headers: []harPair{}, Content: harContent{Size: x.ResponseBytes, MimeType: harNoType},
			HeadersSize: harUnknown, BodySize: x.ResponseBytes,
		},
		Timings: harTimings{Wait: took},
		ID:      exchangeID(x), SessionID: x.Session.String(), User: exchangeUser(x), ClientIP: exchangeIP(x),
		Environment: x.Environment, Service: x.Service, Flows: exchangeFlows(x), TraceID: x.TraceID,
		Verdict: exportVerdict(x),
	}
}
