package detect

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/ndjson"
)

// maxLines is how many lines of the sample are tried.
const maxLines = 50

// sample is the beginning of an input.
type sample struct {
	text  []byte
	lines [][]byte // whole ones that are not blank and no comments
	whole bool     // text is all there is
}

func newSample(text []byte, whole bool) *sample {
	s := &sample{text: bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n"), whole: whole}
	for line := range bytes.Lines(s.text) {
		trimmed := bytes.TrimSpace(line)
		cut := !whole && line[len(line)-1] != '\n'
		if len(trimmed) == 0 || cut || trimmed[0] == '#' {
			continue
		}
		if s.lines = append(s.lines, trimmed); len(s.lines) == maxLines {
			break
		}
	}
	return s
}

const formatHint = "say which it is with --format har|ndjson|accesslog, or --log-format with a name or a pattern; docs/formats has them all"

// choose finds the format of an input, or checks the one that is given.
func choose(s *sample, options Options) (Format, *accesslog.Format, error) {
	name := options.Format
	if options.LogFormat != "" {
		if name != "" && name != AccessLog {
			return Format{}, nil, &refusal{"a log format was given for the format " + name, "leave one of --format and --log-format out"}
		}
		name = AccessLog
	}
	switch {
	case len(s.text) == 0:
		return Format{}, nil, &refusal{"it is empty", ""}
	case isBinary(s.text):
		return Format{}, nil, &refusal{"it is binary, where text is expected", "known are HAR, NDJSON and access logs, plain or packed with gzip or zstd"}
	}
	switch name {
	case "":
		return find(s)
	case HAR:
		if s.text[0] != '{' {
			return Format{}, nil, &refusal{"not a HAR: it does not begin with {", formatHint}
		}
		return Format{Name: HAR}, nil, nil
	case NDJSON:
		if err := s.ndjson(); err != nil {
			return Format{}, nil, &refusal{"not NDJSON exchanges: " + err.Error(), "see docs/formats/ndjson.md"}
		}
		return Format{Name: NDJSON}, nil, nil
	case AccessLog:
		return findLog(s, options.LogFormat)
	}
	return Format{}, nil, &refusal{fmt.Sprintf("there is no format %q", name), "known are har, ndjson and accesslog"}
}

// find finds the format by the content.
func find(s *sample) (Format, *accesslog.Format, error) {
	if s.text[0] == '[' {
		return Format{}, nil, &refusal{"it is a JSON array, where one object a line is expected", "turn it into lines: jq -c '.[]' FILE | seshat import -"}
	}
	if s.beginsLikeHAR() {
		return Format{Name: HAR}, nil, nil
	}
	exchanges := s.ndjson()
	if exchanges == nil && s.text[0] == '{' && (len(s.lines) > 0 || bytes.Contains(s.text, []byte(`"request"`))) {
		return Format{Name: NDJSON}, nil, nil
	}
	if f, ok := accesslog.Detect(s.lines); ok {
		return Format{Name: AccessLog, LogFormat: f.Name()}, f, nil
	}
	if s.text[0] == '{' {
		if bytes.Contains(s.text, []byte(`"log"`)) && bytes.Contains(s.text, []byte(`"entries"`)) {
			return Format{Name: HAR}, nil, nil
		}
		reason := "the format is not known: not a HAR (no \"log\"), not an access log in JSON"
		if exchanges != nil {
			reason += ", not NDJSON exchanges (" + exchanges.Error() + ")"
		}
		return Format{}, nil, &refusal{reason, formatHint}
	}
	return Format{}, nil, &refusal{
		"the format is not known: not JSON, and none of the access log formats " + strings.Join(accesslog.Formats(), ", ") + " fits half of the first lines", formatHint,
	}
}

// findLog checks that the log format that is given fits, or finds it.
func findLog(s *sample, logFormat string) (Format, *accesslog.Format, error) {
	if logFormat == "" {
		f, ok := accesslog.Detect(s.lines)
		if !ok {
			return Format{}, nil, &refusal{
				"none of the access log formats " + strings.Join(accesslog.Formats(), ", ") + " fits half of the first lines",
				"give the format with --log-format, such as '$remote_addr [$time_local] \"$request\" $status'",
			}
		}
		return Format{Name: AccessLog, LogFormat: f.Name()}, f, nil
	}
	f, err := accesslog.ParseFormat(logFormat)
	if err != nil {
		return Format{}, nil, err
	}
	var first error
	for i, line := range s.lines {
		err := f.Check(line)
		if err == nil {
			first = nil
			break
		}
		if i == 0 {
			first = err
		}
	}
	if first != nil {
		return Format{}, nil, &refusal{fmt.Sprintf("none of the first %d lines is of the log format %s; the first: %v", len(s.lines), f.Name(), first), "leave --log-format out to have it found"}
	}
	return Format{Name: AccessLog, LogFormat: f.Name()}, f, nil
}

// ndjson returns nil if one of the lines is an NDJSON exchange, or if there is no whole line to tell by; else what is
// wrong with the first.
func (s *sample) ndjson() error {
	var d ndjson.Decoder
	var first error
	for i, line := range s.lines {
		_, err := d.Decode(line)
		if err == nil {
			return nil
		}
		if i == 0 {
			first = err
		}
	}
	return first
}

// beginsLikeHAR reports whether the text is an object whose first member is called "log", and is an object.
func (s *sample) beginsLikeHAR() bool {
	rest := s.text
	for _, token := range []string{"{", `"log"`, ":", "{"} {
		var ok bool
		if rest, ok = bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(token)); !ok {
			return false
		}
	}
	return true
}

// isBinary reports whether text is none: it has NUL bytes, or many that are neither text nor UTF-8.
func isBinary(text []byte) bool {
	const beginning = 4 << 10
	text = text[:min(len(text), beginning)]
	odd := 0
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == 0:
			return true
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != 0x1b:
			odd++
		}
		i += n
	}
	const tolerated = 10 // one in so many
	return odd*tolerated > len(text)
}
