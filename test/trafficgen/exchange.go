package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// exchange is an NDJSON exchange, version 1.
type exchange struct {
	ID          string   `json:"id"`
	Time        string   `json:"time"`
	DurationMS  float64  `json:"duration_ms"`
	Environment string   `json:"environment"`
	Service     string   `json:"service"`
	Client      address  `json:"client"`
	Request     request  `json:"request"`
	Response    response `json:"response"`
	TraceID     string   `json:"trace_id,omitempty"`
}

type address struct {
	IP  string `json:"ip"`
	JA4 string `json:"ja4,omitempty"`
}

type request struct {
	Method      string      `json:"method"`
	Scheme      string      `json:"scheme"`
	Host        string      `json:"host"`
	Path        string      `json:"path"`
	Query       string      `json:"query"`
	HTTPVersion string      `json:"http_version"`
	Headers     [][2]string `json:"headers"`
	Body        string      `json:"body,omitempty"`
	BodyBytes   int         `json:"body_bytes"`
}

type response struct {
	Status    int         `json:"status"`
	Headers   [][2]string `json:"headers"`
	Body      string      `json:"body,omitempty"`
	BodyBytes int         `json:"body_bytes"`
}

// timeLayout has a fixed number of digits, as recorders write it.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// line is x as one line of NDJSON, its newline included.
func (x *exchange) line() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(x); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// object is JSON text of names and values in turn. Values are strings, numbers or [raw] JSON.
func object(members ...any) string {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; i+1 < len(members); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", members[i])
		switch v := members[i+1].(type) {
		case raw:
			b.WriteString(string(v))
		case string:
			text, _ := json.Marshal(v) // a string always marshals
			b.Write(text)
		default:
			fmt.Fprint(&b, v)
		}
	}
	b.WriteByte('}')
	return b.String()
}

// raw is JSON text that is put into an [object] as it is.
type raw string

func stamp(t time.Time) string { return t.UTC().Format(timeLayout) }
