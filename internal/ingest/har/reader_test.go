package har

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/ingest"
)

// captures are the browser captures, by name.
func captures(tb testing.TB) map[string]string {
	tb.Helper()
	dir := os.Getenv("SESHAT_MATERIAL")
	if dir == "" {
		tb.Skip("SESHAT_MATERIAL is not set: no captures to read")
	}
	files, err := filepath.Glob(filepath.Join(dir, "har", "*.har"))
	if err != nil || len(files) != 5 {
		tb.Fatalf("captures %v, %v, want 5", files, err)
	}
	named := make(map[string]string)
	for _, f := range files {
		named[filepath.Base(f)] = f
	}
	return named
}

// counts are what two programs count in a file each in its own way.
type counts struct {
	Entries         int
	Statuses        map[string]int
	Methods         map[string]int
	RequestCookies  int `json:"request_cookies"`
	ResponseCookies int `json:"response_cookies"`
	RequestHeaders  int `json:"request_headers"`
	ResponseHeaders int `json:"response_headers"`
	Query           int
	Content         int64 // bytes of text
}

const countWithJQ = `.log.entries | {
	entries: length,
	statuses: (map(.response.status | tostring) | group_by(.) | map({key: .[0], value: length}) | from_entries),
	methods: (map(.request.method) | group_by(.) | map({key: .[0], value: length}) | from_entries),
	request_cookies: (map(.request.cookies | length) | add),
	response_cookies: (map(.response.cookies | length) | add),
	request_headers: (map([.request.headers[] | select(.name | startswith(":") | not)] | length) | add),
	response_headers: ((map([.response.headers[] | select(.name | startswith(":") | not) |
		if (.name | ascii_downcase) == "set-cookie" then .value | split("\n")[] else . end] | length) | add) +
		(map(select(any(.response.headers[]; .name | ascii_downcase == "content-type") | not)
			| select(.response.content.mimeType | . != "" and . != "x-unknown")) | length)),
	query: (map(.request.queryString | length) | add),
	content: (map(.response.content | select(.encoding != "base64") | .text // "" | utf8bytelength) | add)
}`

func TestCountsAgreeWithJQ(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed: nothing to count with")
	}
	for name, file := range captures(t) {
		output, err := exec.Command(jq, "-c", countWithJQ, file).Output()
		if err != nil {
			t.Fatalf("%s: jq: %v", name, err)
		}
		var want counts
		if err := json.Unmarshal(output, &want); err != nil {
			t.Fatal(err)
		}
		if got := count(t, file); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n %+v, want\n %+v", name, got, want)
		}
	}
}

func count(t *testing.T, file string) counts {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	got := counts{Statuses: map[string]int{}, Methods: map[string]int{}}
	r := NewReader(f)
	for {
		x, at, err := r.Read(context.Background())
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatalf("entry %d: %v", at.Line, err)
		}
		got.Entries++
		got.Statuses[fmt.Sprint(x.Response.Status)]++
		got.Methods[strings.Clone(x.Request.Method)]++
		cookies := httpfield.RequestCookies(x.Request.Header)
		for _, _, ok := cookies.Next(); ok; _, _, ok = cookies.Next() {
			got.RequestCookies++
		}
		got.RequestHeaders += len(x.Request.Header)
		got.ResponseHeaders += len(x.Response.Header)
		for i := -1; ; got.ResponseCookies++ {
			if i = httpfield.Find(x.Response.Header, "Set-Cookie", i+1); i < 0 {
				break
			}
		}
		if x.Request.Query != "" {
			got.Query += 1 + strings.Count(x.Request.Query, "&")
		}
		if !e64(&r.entry) {
			got.Content += int64(len(x.Response.Body.Bytes))
		}
		if x.Client.IP.IsValid() || x.Service == "" || x.Request.Path == "" || x.Request.Scheme == "" {
			t.Errorf("%s: entry %d: %+v", file, at.Line, x)
		}
	}
}

// e64 reports whether the content of the entry was Base64.
func e64(e *entry) bool { return e.response.coding == "base64" }

const first = `{"_initiator":{"type":"other"},"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":12.5,"connection":"443",
 "request":{"method":"POST","url":"https://user:secret@Shop.Example:443/a%20b;v=1?q=1&r=%20#part","httpVersion":"h2",
  "headers":[{"name":":authority","value":"shop.example"},{"name":":path","value":"/"},{"name":"Cookie","value":"A=1; B=2"}],
  "cookies":[{"name":"A","value":"other"}],"queryString":[{"name":"q","value":"1"}],
  "headersSize":-1,"bodySize":3,"postData":{"mimeType":"text/plain","text":"a\u00e9"}},
 "response":{"status":200,"statusText":"OK","httpVersion":"h2",
  "headers":[{"name":"Set-Cookie","value":"A=2; Path=/\nB=3"},{"name":"content-type","value":"application/json"}],
  "cookies":[{"name":"C","value":"4"}],
  "content":{"size":900,"mimeType":"application/json","encoding":"base64","text":"e30="},"redirectURL":"","headersSize":-1,"bodySize":-1},
 "cache":{},"timings":{"send":1,"wait":2,"receive":3},"serverIPAddress":"192.0.2.1"}`

func archive(entries ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"x","version":"}]\"\\"},"pages":[],"entries":[` + strings.Join(entries, ",\n") + `],"comment":""}}`
}

func TestReadsAnEntry(t *testing.T) {
	want := &seshat.Exchange{
		Time: time.Date(2026, 1, 2, 2, 4, 5, 678e6, time.UTC), Duration: 12500 * time.Microsecond, Service: "shop.example",
		Request: seshat.Request{
			Method: "POST", Scheme: "https", Host: "shop.example", Path: "/a%20b;v=1", Query: "q=1&r=%20", HTTPVersion: "2",
			Header: []seshat.Field{{Name: "Cookie", Value: "A=1; B=2"}, {Name: "Content-Type", Value: "text/plain"}},
			Body:   seshat.Body{Bytes: []byte("aé"), Size: 3},
		},
		Response: seshat.Response{
			Status: 200,
			Header: []seshat.Field{{Name: "Set-Cookie", Value: "A=2; Path=/"}, {Name: "Set-Cookie", Value: "B=3"}, {Name: "content-type", Value: "application/json"}},
			Body:   seshat.Body{Bytes: []byte("{}"), Size: 900},
		},
	}
	text := "\xef\xbb\xbf \n" + archive(first)
	for _, src := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
		r := NewReader(src)
		x, at, err := r.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(x, want) {
			t.Errorf("read\n %+v, want\n %+v", x, want)
		}
		if offset := strings.Index(text, first); at.Line != 1 || at.Offset != int64(offset) || at.Content == 0 {
			t.Errorf("position %+v, want entry 1 at %d", at, offset)
		}
		if _, _, err := r.Read(context.Background()); !errors.Is(err, io.EOF) {
			t.Errorf("behind the last entry: %v, want EOF", err)
		}
	}
}

// readAll reads everything: what was good, the messages of what was not, and the final error.
func readAll(r *Reader, f func(*seshat.Exchange)) (bad, skipped []string, err error) {
	for {
		x, _, err := r.Read(context.Background())
		var record *ingest.BadRecord
		switch {
		case err == nil:
			f(x)
		case errors.As(err, &record) && record.Skipped:
			skipped = append(skipped, record.Error())
		case errors.As(err, &record):
			bad = append(bad, record.Error())
		default:
			return bad, skipped, err
		}
	}
}

func TestPeculiarities(t *testing.T) {
	entry := func(request, response string) string {
		return `{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://a.example"` + request + `},"response":{"status":200` + response + `}}`
	}
	header := func(fields []seshat.Field) string {
		var lines []string
		for _, f := range fields {
			lines = append(lines, f.Name+": "+f.Value)
		}
		return strings.Join(lines, " | ")
	}
	requestHeader := func(x *seshat.Exchange) string { return header(x.Request.Header) }
	responseHeader := func(x *seshat.Exchange) string { return header(x.Response.Header) }
	requestBody := func(x *seshat.Exchange) string { return string(x.Request.Body.Bytes) }
	packed := base64.StdEncoding.EncodeToString([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xaa\xae\x05\x04\x00\x00\xff\xff\x43\xbf\xa6\xa3\x02\x00\x00\x00"))
	for _, test := range []struct {
		name, entry string
		f           func(*seshat.Exchange) string
		want        string
	}{
		{"no path", entry("", ""), func(x *seshat.Exchange) string { return x.Request.Path }, "/"},
		{"cookies without a field", entry(`,"cookies":[{"name":"A","value":"1"},{"name":"B","value":"x=y"},{"name":""}]`, ""), requestHeader, "Cookie: A=1; B=x=y"},
		{
			"set cookies without a field", entry("", `,"cookies":[{"name":"A","value":"1","path":"/","domain":"a.example","expires":"2026-02-03T04:05:06.000Z","httpOnly":true,"secure":true,"sameSite":"Lax"},{"name":"B","value":"2","expires":"Session","httpOnly":null}]`), responseHeader,
			"Set-Cookie: A=1; Path=/; Domain=a.example; SameSite=Lax; Expires=Tue, 03 Feb 2026 04:05:06 GMT; HttpOnly; Secure | Set-Cookie: B=2",
		},
		{"form parameters", entry(`,"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"user","value":"a b"},{"name":"p","value":"a%20b"}]}`, ""), requestBody, "user=a+b&p=a%20b"},
		{"text before parameters", entry(`,"postData":{"params":[{"name":"user","value":"x"}],"text":"t"}`, ""), requestBody, "t"},
		{
			"multipart parameters", entry(`,"postData":{"mimeType":"multipart/form-data; boundary=b","params":[{"name":"us\"er","value":"alice","fileName":"f"}]}`, ""), requestBody,
			"--b\r\nContent-Disposition: form-data; name=\"us%22er\"\r\n\r\nalice\r\n--b--\r\n",
		},
		{"parameters of something else", entry(`,"postData":{"mimeType":"application/json","params":[{"name":"a","value":"b"}]}`, ""), requestBody, ""},
		{"nulls and wrong types", entry(`,"headers":null,"cookies":{},"postData":"x","bodySize":null,"httpVersion":7`, `,"headers":5,"content":[],"cookies":null`), requestHeader, ""},
		{"content that was not kept", entry("", `,"content":{"size":7}`), func(x *seshat.Exchange) string {
			return fmt.Sprint(x.Response.Body.Size, x.Response.Body.Truncated)
		}, "7 true"},
		{"content type from the content", entry("", `,"content":{"size":2,"mimeType":"text/html","text":"ab"}`), responseHeader, "Content-Type: text/html"},
		{"content still packed", entry("", `,"headers":[{"name":"content-encoding","value":"gzip"}],"content":{"encoding":"base64","text":"`+packed+`"}`), func(x *seshat.Exchange) string { return string(x.Response.Body.Bytes) }, "{}"},
		{"content unpacked already", entry("", `,"headers":[{"name":"content-encoding","value":"gzip"}],"content":{"text":"{}"}`), func(x *seshat.Exchange) string { return string(x.Response.Body.Bytes) }, "{}"},
		{"broken Base64 is kept", entry("", `,"content":{"encoding":"base64","text":"?!"}`), func(x *seshat.Exchange) string { return string(x.Response.Body.Bytes) }, "?!"},
		{"no response", `{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://a.example/"},"response":null}`, func(x *seshat.Exchange) string { return fmt.Sprint(x.Response.Status) }, "0"},
		{"timings without time", `{"startedDateTime":"2026-01-02T03:04:05Z","time":null,"timings":{"blocked":-1,"connect":10,"ssl":5,"wait":2.5,"_queued":7},"request":{"method":"GET","url":"http://a.example/"}}`, func(x *seshat.Exchange) string { return x.Duration.String() }, "12.5ms"},
		{"zone without colon", `{"startedDateTime":"2026-01-02T03:04:05.5+0100","request":{"method":"GET","url":"http://a.example/"}}`, func(x *seshat.Exchange) string { return x.Time.String() }, "2026-01-02 02:04:05.5 +0000 UTC"},
		{"WebSocket", strings.Replace(entry("", ""), "http://a.example", "wss://a.example:443/chat", 1), func(x *seshat.Exchange) string { return x.Request.Scheme + " " + x.Service + x.Request.Path }, "https a.example/chat"},
		{"host field before the URL", entry(`,"headers":[{"name":"host","value":"b.example:8080"}]`, ""), func(x *seshat.Exchange) string { return x.Service }, "b.example:8080"},
	} {
		n := 0
		bad, skipped, err := readAll(NewReader(strings.NewReader(archive(test.entry))), func(x *seshat.Exchange) {
			if n++; test.f(x) != test.want {
				t.Errorf("%s: %q, want %q", test.name, test.f(x), test.want)
			}
		})
		if n != 1 || len(bad) > 0 || len(skipped) > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d exchanges, bad %v, skipped %v, %v", test.name, n, bad, skipped, err)
		}
	}
}

func TestBadAndSkippedEntries(t *testing.T) {
	withURL := func(url string) string {
		return `{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"` + url + `"}}`
	}
	for _, test := range []struct{ entry, bad, skipped string }{
		{entry: withURL("data:text/plain,secret"), skipped: "not an HTTP exchange: a URL of the scheme data"},
		{entry: withURL("blob:https://a.example/1"), skipped: "not an HTTP exchange: a URL of the scheme blob"},
		{entry: withURL("chrome-extension://x/y.js"), skipped: "not an HTTP exchange: a URL of the scheme chrome-extension"},
		{entry: withURL("/secret"), bad: "request.url: not a URL (such as https://api.example/path?query)"},
		{entry: withURL("https:secret"), bad: "request.url: not a URL (such as https://api.example/path?query)"},
		{entry: withURL(""), bad: "request.url: missing"},
		{entry: `{"request":{"method":"GET","url":"http://a.example"}}`, bad: "startedDateTime: missing (" + timeHint + ")"},
		{entry: `{"startedDateTime":"secret"}`, bad: "startedDateTime: not an ISO 8601 time (" + timeHint + ")"},
		{entry: `{"startedDateTime":5}`, bad: "startedDateTime: a number where a string is expected"},
		{entry: `{"startedDateTime":"2026-01-02T03:04:05Z","request":[]}`, bad: "request: an array where an object is expected"},
		{entry: `{"startedDateTime":"2026-01-02T03:04:05Z","request":{"url":"http://a.example"}}`, bad: "request.method: missing"},
		{entry: `"secret"`, bad: "entry: a string where an object is expected"},
		{entry: `{"a":secret}`, bad: "not valid JSON at column 6"},
		{entry: `null`, bad: "startedDateTime: missing (" + timeHint + ")"},
		{entry: `{"a":"` + strings.Repeat(`","b":"`, maxEntry/6) + `"}`, bad: errTooBig.Error()},
		{entry: `{"request":{"headers":[` + strings.Repeat(`{},`, maxList) + `{}]}}`, bad: "headers: more than 10000 elements"},
	} {
		n := 0
		if bad, skipped, err := readAll(NewReader(strings.NewReader(archive(test.entry))), func(*seshat.Exchange) { n++ }); n != 0 || len(bad)+len(skipped) != 1 || !errors.Is(err, io.EOF) {
			t.Errorf("%.60s, alone: %d exchanges, bad %q, skipped %q, %v", test.entry, n, bad, skipped, err)
		}
		bad, skipped, err := readAll(NewReader(strings.NewReader(archive(first, test.entry, first))), func(*seshat.Exchange) { n++ })
		if n != 2 || strings.Join(bad, "|") != test.bad || strings.Join(skipped, "|") != test.skipped || !errors.Is(err, io.EOF) {
			t.Errorf("%.60s: %d exchanges, bad %q, skipped %q, %v;\n want 2, %q, %q", test.entry, n, bad, skipped, err, test.bad, test.skipped)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	whole := archive(first, first)
	second := strings.LastIndex(whole, first)
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{whole[:second+100], 1, fmt.Sprintf("in entry 2, which begins at byte %d: the HAR ends too early (is the file cut off?)", second)},
		{whole[:second+len(first)], 2, fmt.Sprintf("behind entry 2, at byte %d: the HAR ends too early (is the file cut off?)", second+len(first))},
		{whole[:20], 0, "at byte 20: the HAR ends too early (is the file cut off?)"},
		{whole[:second-2] + " x", 1, fmt.Sprintf("behind entry 1, at byte %d: byte %d: not valid JSON: \",\" is expected", second-1, second-1)},
		{`{"log":{"version":"1.2"}}`, 0, ErrNoEntries.Error()},
		{`{"log":[]}`, 0, ErrNoEntries.Error()},
		{`{"log":{"entries":[]}}`, 0, "EOF"},
		{`[]`, 0, "at byte 0: byte 0: not valid JSON: \"{\" is expected"},
	} {
		n := 0
		_, _, err := readAll(NewReader(strings.NewReader(test.text)), func(*seshat.Exchange) { n++ })
		if n != test.n || err.Error() != test.want {
			t.Errorf("%.40s…: %d exchanges, %v; want %d, %s", test.text, n, err, test.n, test.want)
		}
	}
	broken := errors.New("broken")
	if _, _, err := readAll(NewReader(io.MultiReader(strings.NewReader(whole[:second+9]), iotest.ErrReader(broken))), func(*seshat.Exchange) {}); !errors.Is(err, broken) {
		t.Errorf("error of the source: %v, want broken", err)
	}
}

func TestLongContentIsCut(t *testing.T) {
	for _, test := range []struct{ unit, decoded, encoding string }{
		{"x", "x", ""},
		{`\u00e9`, "é", ""},
		{`\n`, "\n", ""},
		{`\\`, `\`, ""},
		{"eHl6", "xyz", "base64"},
	} {
		units := 3 * maxText / len(test.unit)
		entry := `{"response":{"status":200,"content":{"size":77,"encoding":"` + test.encoding + `","text":"` + strings.Repeat(test.unit, units) + `"}},` +
			`"request":{"url":"http://a.example/","method":"GET"},"startedDateTime":"2026-01-02T03:04:05Z"}`
		n := 0
		bad, _, err := readAll(NewReader(strings.NewReader(archive(first, entry, first))), func(x *seshat.Exchange) {
			if n++; n != 2 {
				return
			}
			body := x.Response.Body
			whole := units * len(test.decoded)
			if !body.Truncated || len(body.Bytes) == 0 || len(body.Bytes) > whole/2 || body.Size != int64(len(body.Bytes)) {
				t.Errorf("%s: %d bytes of %d, size %d, truncated %v", test.unit, len(body.Bytes), whole, body.Size, body.Truncated)
			}
			if rest := bytes.ReplaceAll(body.Bytes, []byte(test.decoded), nil); len(rest) > 0 {
				t.Errorf("%s: cut in the middle: %q", test.unit, rest)
			}
		})
		if n != 3 || len(bad) > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d exchanges, bad %v, %v", test.unit, n, bad, err)
		}
	}
}

// repeated gives text again and again.
type repeated struct {
	text []byte
	left int
	pos  int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.pos:])
	if r.pos += n; r.pos == len(r.text) {
		r.pos, r.left = 0, r.left-1
	}
	return n, nil
}

func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	const entries = 20_000
	r := NewReader(io.MultiReader(strings.NewReader(`{"log":{"entries":[`), &repeated{text: []byte(first + ","), left: entries}, strings.NewReader(first+`]}}`)))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := 0
	_, _, err := readAll(r, func(*seshat.Exchange) { n++ })
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n != entries+1 || !errors.Is(err, io.EOF) {
		t.Fatalf("%d exchanges, %v", n, err)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes over %d MB", grown, entries*len(first)>>20)
	}
	runtime.KeepAlive(r)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(archive(first, first)))
	f.Add([]byte(archive(first)[:700]))
	f.Add([]byte("\xef\xbb\xbf{\"log\":{\"entries\":[,null,\"\\u12\",{\"request\":{\"url\":\"data:\\ud800\"}}]}}"))
	f.Add([]byte(`{"log":{"entries":[{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"ws://?","postData":{"params":[{"name":"\u0000"}]},"cookies":[{"name":"a"}]},"response":{"content":{"text":"=","encoding":"base64"}}}]}}`))
	f.Fuzz(func(t *testing.T, input []byte) {
		var whole []string
		_, _, err := readAll(NewReader(bytes.NewReader(input)), func(x *seshat.Exchange) {
			whole = append(whole, fmt.Sprintf("%+v", x))
			if x.Time.IsZero() || x.Request.Method == "" || x.Request.Path == "" {
				t.Fatalf("incomplete: %+v", x)
			}
		})
		n := 0
		_, _, again := readAll(NewReader(iotest.HalfReader(bytes.NewReader(input))), func(x *seshat.Exchange) {
			if n >= len(whole) || whole[n] != fmt.Sprintf("%+v", x) {
				t.Fatalf("exchange %d depends on how the input is read: %+v", n, x)
			}
			n++
		})
		if n != len(whole) || err.Error() != again.Error() {
			t.Fatalf("%d exchanges and %v, or %d and %v, by how the input is read", len(whole), err, n, again)
		}
	})
}
