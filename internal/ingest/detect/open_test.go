package detect

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

const (
	harText    = `{"log":{"version":"1.2","entries":[{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"https://a.example/"}}]}}`
	ndjsonText = `{"time":"2026-01-02T03:04:05Z","request":{"method":"GET","path":"/"}}` + "\n"
	logText    = `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "curl"` + "\n"
	caddyText  = `{"ts":1767323045.5,"request":{"remote_ip":"203.0.113.9","method":"GET","host":"a.example","uri":"/"},"status":200}` + "\n"
)

func gzipped(texts ...string) string {
	var b bytes.Buffer
	for _, text := range texts {
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
	}
	return b.String()
}

func zstandard(t *testing.T, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

// count reads everything.
func count(r ingest.Reader) (good, bad int, err error) {
	for {
		_, _, err := r.Read(context.Background())
		var record *ingest.BadRecord
		switch {
		case err == nil:
			good++
		case errors.As(err, &record):
			bad++
		case errors.Is(err, io.EOF):
			return good, bad, nil
		default:
			return good, bad, err
		}
	}
}

func TestOpen(t *testing.T) {
	big := strings.Replace(ndjsonText, `"path":"/"`, `"path":"/","body":"`+strings.Repeat("x", 2*sampleBytes)+`"`, 1)
	for _, test := range []struct {
		name, text string
		options    Options
		want       string
		good, bad  int
	}{
		{name: "HAR", text: harText, want: "har", good: 1},
		{name: "HAR, pretty", text: "\xef\xbb\xbf{\n  \"log\" : {" + harText[len(`{"log":{`):], want: "har", good: 1},
		{name: "HAR with another member first", text: `{"comment":"x",` + harText[1:], want: "har", good: 1},
		{name: "NDJSON", text: "\n" + ndjsonText + ndjsonText + "x\n", want: "ndjson", good: 2, bad: 1},
		{name: "NDJSON that begins with a bad line", text: "{}\n" + ndjsonText, want: "ndjson", good: 1, bad: 1},
		{name: "NDJSON without line end", text: strings.TrimSpace(ndjsonText), want: "ndjson", good: 1},
		{name: "NDJSON with a long line", text: big + ndjsonText, want: "ndjson", good: 2},
		{name: "combined", text: logText + "x\n" + logText, want: "accesslog (combined)", good: 2, bad: 1},
		{name: "Caddy", text: caddyText, want: "accesslog (caddy)", good: 1},
		{name: "gzip", text: gzipped(ndjsonText), want: "ndjson, gzip", good: 1},
		{name: "gzip of two members", text: gzipped(logText, logText), want: "accesslog (combined), gzip", good: 2},
		{name: "zstd", text: zstandard(t, harText), want: "har, zstd", good: 1},
		{name: "two zstd frames", text: zstandard(t, logText) + zstandard(t, logText), want: "accesslog (combined), zstd", good: 2},
		{name: "given HAR", text: harText, options: Options{Format: HAR}, want: "har", good: 1},
		{name: "given NDJSON", text: ndjsonText, options: Options{Format: NDJSON}, want: "ndjson", good: 1},
		{name: "given access log", text: logText, options: Options{Format: AccessLog}, want: "accesslog (combined)", good: 1},
		{name: "given log format", text: logText, options: Options{LogFormat: "common"}, want: "accesslog (common)", good: 1},
		{name: "given pattern", text: "02/Jan/2026:03:04:05 +0000|/a\n", options: Options{LogFormat: "$time_local|$uri"}, want: "accesslog (custom)", good: 1},
	} {
		r, format, err := Open("x", strings.NewReader(test.text), test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		good, bad, err := count(r)
		if format.String() != test.want || good != test.good || bad != test.bad || err != nil {
			t.Errorf("%s: %s, %d good and %d bad, %v; want %s, %d and %d", test.name, format, good, bad, err, test.want, test.good, test.bad)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	unknown := "read x: the format is not known: not JSON, and none of the access log formats caddy, traefik, envoy-json, nginx-json, vhost-combined, combined, common fits half of the first lines (" + formatHint + ")"
	for _, test := range []struct {
		name, text string
		options    Options
		want       string
	}{
		{name: "nothing", want: "read x: it is empty"},
		{name: "white space", text: " \n\n", want: "read x: it is empty"},
		{name: "packed nothing", text: gzipped(""), want: "read x: it is empty"},
		{name: "NUL", text: "abc\x00def", want: "read x: it is binary, where text is expected (known are HAR, NDJSON and access logs, plain or packed with gzip or zstd)"},
		{name: "noise", text: strings.Repeat("\x81\x92a\x05", 100), want: "read x: it is binary, where text is expected (known are HAR, NDJSON and access logs, plain or packed with gzip or zstd)"},
		{name: "bzip2", text: "BZh91AY", want: "read x: it is bzip2; unpack it first: bzip2 -dc FILE | seshat import -"},
		{name: "prose", text: "Hello,\nthis is a letter.\n", want: unknown},
		{name: "array", text: "[" + ndjsonText + "]", want: "read x: it is a JSON array, where one object a line is expected (turn it into lines: jq -c '.[]' FILE | seshat import -)"},
		{name: "other JSON", text: `{"a":1}`, want: "read x: the format is not known: not a HAR (no \"log\"), not an access log in JSON, not NDJSON exchanges (time: missing (such as 2026-01-02T03:04:05.678901Z)) (" + formatHint + ")"},
		{name: "not HAR", text: logText, options: Options{Format: HAR}, want: "read x: not a HAR: it does not begin with { (" + formatHint + ")"},
		{name: "not NDJSON", text: caddyText, options: Options{Format: NDJSON}, want: "read x: not NDJSON exchanges: time: missing (such as 2026-01-02T03:04:05.678901Z) (see docs/formats/ndjson.md)"},
		{name: "not a log", text: "a\nb\n", options: Options{Format: AccessLog}, want: "read x: none of the access log formats caddy, traefik, envoy-json, nginx-json, vhost-combined, combined, common fits half of the first lines (give the format with --log-format, such as '$remote_addr [$time_local] \"$request\" $status')"},
		{name: "another log", text: caddyText, options: Options{LogFormat: "combined"}, want: "read x: none of the first 1 lines is of the log format combined; the first: "},
		{name: "no such log format", text: logText, options: Options{LogFormat: "iis"}, want: "read x: there is no log format \"iis\""},
		{name: "no such format", text: logText, options: Options{Format: "pcap"}, want: "read x: there is no format \"pcap\" (known are har, ndjson and accesslog)"},
		{name: "both", text: logText, options: Options{Format: HAR, LogFormat: "common"}, want: "read x: a log format was given for the format har (leave one of --format and --log-format out)"},
	} {
		_, _, err := Open("x", strings.NewReader(test.text), test.options)
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || seshat.KindOfError(err) != seshat.ErrorInvalid {
			t.Errorf("%s:\n %v, want\n %s", test.name, err, test.want)
		}
	}
}

func TestOpenRefusesADirectory(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, _, err := Open("logs/", f, Options{}); err == nil || err.Error() != "read logs/: it is a directory (give the files in it, such as logs/*)" {
		t.Errorf("a directory: %v", err)
	}
}

func TestTruncatedGzipGivesWhatItHas(t *testing.T) {
	var text strings.Builder
	for range 20_000 {
		text.WriteString(logText)
	}
	packed := gzipped(text.String())
	r, _, err := Open("x", strings.NewReader(packed[:len(packed)*9/10]), Options{})
	if err != nil {
		t.Fatal(err)
	}
	good, bad, err := count(r)
	if good < 10_000 || bad > 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d good and %d bad, %v; want most, none, and an unexpected EOF", good, bad, err)
	}
}

func TestErrorOfTheInput(t *testing.T) {
	broken := errors.New("broken")
	if _, _, err := Open("x", iotest.ErrReader(broken), Options{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want broken", err)
	}
}

func TestProgressAndLabels(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	text := strings.Repeat(logText, 5000)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var last, total int64
	r, _, err := Open(file, f, Options{Environment: "prod", Service: "shop", Progress: func(read, all int64) {
		if read < last {
			t.Errorf("progress went back from %d to %d", last, read)
		}
		last, total = read, all
	}})
	if err != nil {
		t.Fatal(err)
	}
	x, _, err := r.Read(context.Background())
	if err != nil || x.Environment != "prod" || x.Service != "shop" {
		t.Errorf("exchange %+v, %v", x, err)
	}
	if _, _, err := count(r); err != nil {
		t.Fatal(err)
	}
	if last != int64(len(text)) || total != last {
		t.Errorf("progress ended at %d of %d, want %d", last, total, len(text))
	}
}

func TestServiceLabel(t *testing.T) {
	f := func(name, text, service, want string) {
		t.Helper()
		r, _, err := Open(name, strings.NewReader(text), Options{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		x, _, err := r.Read(context.Background())
		if err != nil || x.Service != want {
			t.Errorf("%s labelled %q: service %q, want %q (%v)", name, service, x.Service, want, err)
		}
	}
	har := `{"log":{"entries":[{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"https://H.example:443/"}}]}}`
	exchange := func(more string) string {
		return `{"time":"2026-01-02T03:04:05Z"` + more + `,"request":{"method":"GET","host":"h.example","path":"/"}}`
	}
	f("har", har, "", "h.example")
	f("har", har, "shop", "shop")
	f("ndjson", exchange(""), "", "h.example")
	f("ndjson", exchange(""), "shop", "shop")
	f("ndjson", exchange(`,"service":"api"`), "shop", "api")
	f("log", logText, "shop", "shop")
}

func FuzzOpen(f *testing.F) {
	for _, text := range []string{harText, ndjsonText, logText, caddyText, gzipped(logText), "[", "\xef\xbb\xbf"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, _, err := Open("x", strings.NewReader(text), Options{})
		if err != nil {
			return
		}
		if good, bad, _ := count(r); good+bad > len(text) && len(text) < 4096 && !strings.HasPrefix(text, "\x1f\x8b") && !strings.HasPrefix(text, "\x28\xb5") {
			t.Fatalf("%d records of %d bytes", good+bad, len(text))
		}
	})
}
