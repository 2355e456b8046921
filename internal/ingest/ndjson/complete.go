package ndjson

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// complete checks what must be there and fills in what follows from the rest.
func (d *decoder) complete() (err error) {
	x := &d.exchange
	switch {
	case x.Time.IsZero():
		return fault("time", "missing", timeHint)
	case x.Request.Method == "":
		return fault("request.method", "missing", "")
	case x.Request.Path == "":
		return fault("request.path", "missing", "such as /orders/42")
	}
	if !d.hasQuery {
		x.Request.Path, x.Request.Query, _ = strings.Cut(x.Request.Path, "?")
	}
	x.Request.Header, x.Response.Header = d.requestHeader, d.responseHeader
	if x.Request.Body, err = d.requestContent.body("request."); err != nil {
		return err
	}
	if x.Response.Body, err = d.responseContent.body("response."); err != nil {
		return err
	}
	d.codings.Remove(d.requestHeader, &x.Request.Body)
	d.codings.Remove(d.responseHeader, &x.Response.Body)
	if x.Request.Host == "" {
		x.Request.Host = hostField(d.requestHeader)
	}
	if !d.hasService {
		x.Service = ingest.Service(x.Request.Scheme, x.Request.Host)
	}
	return nil
}

func hostField(header []seshat.Field) string {
	for _, f := range header {
		if strings.EqualFold(f.Name, "Host") || f.Name == ":authority" {
			return f.Value
		}
	}
	return ""
}
