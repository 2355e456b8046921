package accesslog

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat/internal/ingest/jsonrecord"
)

// The patterns of the formats that have a name.
const (
	patternCommon   = `%h %l %u %t "%r" %>s %b`
	patternCombined = patternCommon + ` "%{Referer}i" "%{User-Agent}i"`
	patternVHost    = `%v:%p ` + patternCombined // Debian's vhost_combined
	// patternTraefik is what Traefik calls its common log format. The router and server URL in it mean nothing here.
	patternTraefik = patternCombined + ` %k "%{router}e" "%{server}e" %{ms}Tms`
)

// Formats are the names of the formats, in the order in which they are tried on an unknown log: the ones that say more
// come first, because the patterns of the others fit their lines too.
func Formats() []string {
	return []string{"caddy", "traefik", "envoy-json", "nginx-json", "vhost-combined", "combined", "common"}
}

// Format is how the lines of one log are read. It is immutable.
type Format struct {
	name string
	// Of these, one is set in a format of one kind of lines; Traefik writes two.
	pattern *Pattern
	json    jsonFormat
}

// Name is the name of the format, or "custom".
func (f *Format) Name() string { return f.name }

// FormatError says that a format is neither a name nor a pattern.
type FormatError struct{ Name string }

func (e *FormatError) Error() string {
	return fmt.Sprintf("there is no log format %q (known are %s, and patterns such as '$remote_addr [$time_local] \"$request\" $status')",
		e.Name, strings.Join(Formats(), ", "))
}

// ParseFormat returns the format that has a name, or that a pattern in the syntax of NGINX or Apache describes.
func ParseFormat(s string) (*Format, error) {
	f := &Format{name: s}
	var err error
	switch s {
	case "common":
		f.pattern, err = Compile(patternCommon)
	case "combined":
		f.pattern, err = Compile(patternCombined)
	case "vhost-combined":
		f.pattern, err = Compile(patternVHost)
	case "traefik":
		f.json = traefikJSON
		f.pattern, err = Compile(patternTraefik)
	case "nginx-json":
		f.json = nginxJSON
	case "caddy":
		f.json = caddyJSON
	case "envoy-json":
		f.json = envoyJSON
	default:
		if !strings.ContainsAny(s, "$%") {
			return nil, &FormatError{Name: s}
		}
		f.name = "custom"
		f.pattern, err = Compile(s)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// read reads a line into r.
func (f *Format) read(c *jsonrecord.Cursor, line []byte, r *record) error {
	if f.json != nil && (f.pattern == nil || bytes.HasPrefix(line, []byte("{"))) {
		return readJSON(c, line, r, f.json)
	}
	return f.pattern.scan(line, r)
}

// Check returns what is wrong with a line, or nil.
func (f *Format) Check(line []byte) error {
	var c jsonrecord.Cursor
	var r record
	if err := f.read(&c, line, &r); err != nil {
		return err
	}
	return r.complete()
}

// Fits reports whether a line is likely to be of this format: it can be read and says what a request is about.
func (f *Format) Fits(line []byte) bool {
	var c jsonrecord.Cursor
	var r record
	if f.read(&c, line, &r) != nil || r.complete() != nil {
		return false
	}
	x := &r.exchange
	if x.Request.Method == "" && (!r.hasLine || !x.Client.IP.IsValid()) {
		return false
	}
	return f.json == nil || x.Request.Path != ""
}

// Detect returns the format that most of the lines fit, and at least half of them.
func Detect(sample [][]byte) (*Format, bool) {
	var best *Format
	most := 0
	for _, name := range Formats() {
		f, err := ParseFormat(name)
		if err != nil {
			continue
		}
		fit := 0
		for _, line := range sample {
			if f.Fits(line) {
				fit++
			}
		}
		if fit > most {
			best, most = f, fit
		}
	}
	return best, best != nil && 2*most >= len(sample)
}
