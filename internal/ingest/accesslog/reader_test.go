package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

const (
	combinedLine = `203.0.113.9 - alice [17/May/2015:10:05:03 +0200] "GET /a%20b?x=1&y HTTP/1.1" 200 203023 "https://a.example/" "Mozilla/5.0 (X11)"`
	caddyLine    = `{"level":"info","ts":1646861401.5241024,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"127.0.0.1","remote_port":"41342","client_ip":"203.0.113.9","proto":"HTTP/2.0","method":"GET","host":"localhost:8443","uri":"/a?x=1","headers":{"User-Agent":["curl/7.82.0"],"Cookie":["REDACTED"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"example.com"}},"bytes_read":7,"user_id":"alice","duration":0.5,"size":10900,"status":200,"resp_headers":{"Server":["Caddy"],"Set-Cookie":["A=1","B=2"]}}`
	traefikJSONL = `{"ClientAddr":"203.0.113.9:1234","ClientHost":"203.0.113.9","ClientPort":"1234","ClientUsername":"-","DownstreamContentSize":19,"DownstreamStatus":404,"Duration":57500000,"Overhead":20,"RequestAddr":"shop.example","RequestContentSize":3,"RequestCount":1,"RequestHost":"shop.example","RequestMethod":"POST","RequestPath":"/x?y=z","RequestPort":"-","RequestProtocol":"HTTP/1.1","RequestScheme":"https","StartLocal":"2026-01-02T03:04:05.5Z","StartUTC":"2026-01-02T03:04:05.5Z","request_User-Agent":"curl/8.9","downstream_Set-Cookie":"A=1","time":"2026-01-02T03:04:06Z","level":"info","msg":""}`
	traefikCLF   = `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/2.0" 200 19 "-" "curl/8.9" 17 "web@docker" "http://10.0.0.2:80" 57ms`
	envoyLine    = `{"authority":"shop.example","bytes_received":3,"bytes_sent":1042,"duration":12,"method":"POST","path":"/x?y=z","protocol":"HTTP/2","request_id":"7e2f","response_code":200,"response_flags":null,"start_time":"2026-01-02T03:04:05.500Z","upstream_host":"10.0.0.2:80","user_agent":"curl/8.9","x_forwarded_for":"198.51.100.7","downstream_remote_address":"[2001:db8::1]:4711"}`
	nginxLine    = `{"time_iso8601":"2026-01-02T03:04:05+00:00","msec":"1767323045.500","remote_addr":"203.0.113.9","remote_user":"","request":"POST /x?y=z HTTP/1.1","status":"200","body_bytes_sent":"42","request_time":"0.250","http_user_agent":"curl/8.9","host":"shop.example","scheme":"https","request_id":"abc","http_cookie":"A=1"}`
)

// show is an exchange in one line, for tables.
func show(x *seshat.Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", x.Time.Format(time.RFC3339Nano), x.Client.IP, x.Request.Method)
	fmt.Fprintf(&b, " %s|%s|%s|%s %s", x.Request.Scheme, x.Request.Host, x.Request.Path, x.Request.Query, x.Request.HTTPVersion)
	fmt.Fprintf(&b, " %d %d/%d %s", x.Response.Status, x.Request.Body.Size, x.Response.Body.Size, x.Duration)
	for _, f := range x.Request.Header {
		b.WriteString(" >" + f.Name + ":" + f.Value)
	}
	for _, f := range x.Response.Header {
		b.WriteString(" <" + f.Name + ":" + f.Value)
	}
	if x.ID != "" {
		b.WriteString(" id=" + x.ID)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	for _, test := range []struct{ format, line, want string }{
		{"combined", combinedLine, "2015-05-17T08:05:03Z 203.0.113.9 GET ||/a%20b|x=1&y 1.1 200 0/203023 0s >Referer:https://a.example/ >User-Agent:Mozilla/5.0 (X11) >Authorization:Basic YWxpY2U6"},
		{"combined", combinedLine + ` "extra" 12`, "2015-05-17T08:05:03Z 203.0.113.9 GET ||/a%20b|x=1&y 1.1 200 0/203023 0s >Referer:https://a.example/ >User-Agent:Mozilla/5.0 (X11) >Authorization:Basic YWxpY2U6"},
		{"combined", `2001:db8::1 - - [02/Jan/2026:03:04:05 +0000] "-" 408 - "-" "-"`, "2026-01-02T03:04:05Z 2001:db8::1  |||  408 0/0 0s"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "\x16\x03\x01\x02" 400 150 "-" "-"`, "2026-01-02T03:04:05Z 203.0.113.9  |||  400 0/150 0s"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "" 400 0 "-" "-"`, "2026-01-02T03:04:05Z 203.0.113.9  |||  400 0/0 0s"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET /\"q\"\\\x22?\x41 HTTP/1.0" 200 1 "-" "a \"b\" c"`, `2026-01-02T03:04:05Z 203.0.113.9 GET ||/"q"\"|A 1.0 200 0/1 0s >User-Agent:a "b" c`},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "a "b" c"`, `2026-01-02T03:04:05Z 203.0.113.9 GET ||/| 1.1 200 0/1 0s >User-Agent:a "b`},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "cut o`, `2026-01-02T03:04:05Z 203.0.113.9 GET ||/| 1.1 200 0/1 0s >User-Agent:cut o`},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET /with space here HTTP/1.1" 200 1 "-" "-"`, "2026-01-02T03:04:05Z 203.0.113.9 GET ||/with space here| 1.1 200 0/1 0s"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET http://p.example:81?x HTTP/1.1" 200 1 "-" "-"`, "2026-01-02T03:04:05Z 203.0.113.9 GET http|p.example:81|/|x 1.1 200 0/1 0s"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET /` + "\xff" + `\xff HTTP/1.1" 200 1 "-" "-"`, "2026-01-02T03:04:05Z 203.0.113.9 GET ||/\uFFFD| 1.1 200 0/1 0s"},
		{"combined", `host.example - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`, "2026-01-02T03:04:05Z invalid IP GET ||/| 1.1 200 0/1 0s"},
		{"common", `203.0.113.9 - - [02/Jan/2026:03:04:05 -0130] "OPTIONS * HTTP/1.1" 204 -`, "2026-01-02T04:34:05Z 203.0.113.9 OPTIONS ||*| 1.1 204 0/0 0s"},
		{"common", combinedLine, "2015-05-17T08:05:03Z 203.0.113.9 GET ||/a%20b|x=1&y 1.1 200 0/203023 0s >Authorization:Basic YWxpY2U6"},
		{"vhost-combined", "shop.example:443 " + combinedLine, "2015-05-17T08:05:03Z 203.0.113.9 GET |shop.example|/a%20b|x=1&y 1.1 200 0/203023 0s >Referer:https://a.example/ >User-Agent:Mozilla/5.0 (X11) >Authorization:Basic YWxpY2U6"},
		{"caddy", caddyLine, "2022-03-09T21:30:01.0241024Z 203.0.113.9 GET https|localhost:8443|/a|x=1 2 200 7/10900 500ms >User-Agent:curl/7.82.0 >Accept:*/* >Authorization:Basic YWxpY2U6 <Server:Caddy <Set-Cookie:A=1 <Set-Cookie:B=2"},
		{"traefik", traefikJSONL, "2026-01-02T03:04:05.5Z 203.0.113.9 POST https|shop.example|/x|y=z 1.1 404 3/19 57.5ms >User-Agent:curl/8.9 <Set-Cookie:A=1"},
		{"traefik", traefikCLF, "2026-01-02T03:04:05Z 203.0.113.9 GET ||/x| 2 200 0/19 57ms >User-Agent:curl/8.9"},
		{"envoy-json", envoyLine, "2026-01-02T03:04:05.5Z 2001:db8::1 POST |shop.example|/x|y=z 2 200 3/1042 12ms >X-Request-Id:7e2f >User-Agent:curl/8.9 >X-Forwarded-For:198.51.100.7"},
		{"nginx-json", nginxLine, "2026-01-02T03:04:05.25Z 203.0.113.9 POST https|shop.example|/x|y=z 1.1 200 0/42 250ms >User-Agent:curl/8.9 >Cookie:A=1 id=abc"},
		{
			`$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_x_api_key" "$cookie_SESSID" "$cookie_b" "$sent_http_set_cookie" $request_time $http_host`,
			`203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "key" "abc" "-" "SESSID=d; Path=/" 0.250 a.example:443`,
			"2026-01-02T03:04:05Z 203.0.113.9 GET |a.example:443|/| 1.1 200 0/1 250ms >X-Api-Key:key >Cookie:SESSID=abc <Set-Cookie:SESSID=d; Path=/",
		},
		{
			`%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{SESSID}C\" \"%{Set-Cookie}o\" %D %v`,
			`203.0.113.9 - bob [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "abc" "-" 1500 a.example`,
			"2026-01-02T03:04:05Z 203.0.113.9 GET |a.example|/| 1.1 200 0/1 1.5ms >Cookie:SESSID=abc >Authorization:Basic Ym9iOg==",
		},
		{
			`{"t":"$time_iso8601","a":"${remote_addr}","m":"$request_method","u":"$uri","q":"$args","s":$status,"ua":"$http_user_agent"}`,
			`{"t":"2026-01-02T03:04:05+01:00","a":"203.0.113.9","m":"GET","u":"/a","q":"x=1","s":200,"ua":"a \"b\" \u00e9"}`,
			`2026-01-02T02:04:05Z 203.0.113.9 GET ||/a|x=1  200 0/0 0s >User-Agent:a "b" é`,
		},
		{
			`%{%Y-%m-%d %T %z}t|%m %U%q %H|%!200,304{Host}i|%<s %{us}T %a`,
			`2026-01-02 03:04:05 +0000|GET /a?x=1 HTTP/2.0|a.example|200 17 203.0.113.9`,
			"",
		},
		{
			`%{%Y-%m-%d %T %z}t|%m "%U" %H|%!200,304{Host}i|%<s %{us}T %a`,
			`2026-01-02 03:04:05 +0100|GET "/a" HTTP/2.0|a.example|200 17 203.0.113.9`,
			"2026-01-02T02:04:05Z 203.0.113.9 GET |a.example|/a| 2 200 0/0 17µs",
		},
		{`$msec $request_time $remote_addr "$request"`, `1767323045.123 1.500 203.0.113.9 "GET / HTTP/1.1"`, "2026-01-02T03:04:03.623Z 203.0.113.9 GET ||/| 1.1 0 0/0 1.5s"},
	} {
		f, err := ParseFormat(test.format)
		if test.want == "" {
			var fault *PatternError
			if !errors.As(err, &fault) {
				t.Errorf("%s: %v, want an error in the pattern", test.format, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.format, err)
			continue
		}
		x, _, err := NewReader(strings.NewReader(test.line+"\n"), f).Read(context.Background())
		if err != nil {
			t.Errorf("%s: %.60s: %v", test.format, test.line, err)
			continue
		}
		if got := show(x); got != test.want {
			t.Errorf("%s: %.60s:\n %s, want\n %s", test.format, test.line, got, test.want)
		}
	}
}

func TestBadLines(t *testing.T) {
	for _, test := range []struct{ format, line, want string }{
		{"combined", "secret", `the line does not match the log format: " " is expected behind column 1 (see --log-format)`},
		{"combined", `203.0.113.9 - - [secret] "GET / HTTP/1.1" 200 1 "-" "-"`, "time: not a time"},
		{"combined", `203.0.113.9 - - [99/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1 "-" "-"`, "time: not a time"},
		{"combined", `203.0.113.9 - - [-] "GET / HTTP/1.1" 200 1 "-" "-"`, "time: missing"},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET /`, `the line does not match the log format: "\" " is expected behind column 47 (see --log-format)`},
		{"combined", `203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" secret 1 "-" "-"`, "status: not a number"},
		{"combined", `- - - [02/Jan/2026:03:04:05 +0000] "-" 400 1 "-" "-"`, "neither a request nor a client address"},
		{"caddy", `{"ts":1646861401.5,"request":{"uri":`, "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{"caddy", `{"ts":"secret"}`, "time: not a time"},
		{"nginx-json", `[]`, "line: an array where an object is expected"},
	} {
		f, err := ParseFormat(test.format)
		if err != nil {
			t.Fatal(err)
		}
		_, at, err := NewReader(strings.NewReader("\n"+test.line+"\n"), f).Read(context.Background())
		var bad *ingest.BadRecord
		if !errors.As(err, &bad) || bad.Error() != test.want || at.Line != 2 {
			t.Errorf("%s: %.60s: line %d: %v, want %s", test.format, test.line, at.Line, err, test.want)
		}
	}
}

func TestParseFormatErrors(t *testing.T) {
	for _, test := range []struct{ format, want string }{
		{"nginx", `there is no log format "nginx" (known are caddy, traefik, envoy-json, nginx-json, vhost-combined, combined, common, and patterns such as '$remote_addr [$time_local] "$request" $status')`},
		{"$remote_addr $request", "log format: there is no time in it ($time_local, $time_iso8601, $msec or %t)"},
		{"$time_local", "log format: there is no request in it ($request, $request_uri, $uri, %r or %U)"},
		{"$remote_addr$time_local", "log format, column 13: two values with nothing between them: nothing tells where the first one ends"},
		{"$ x", "log format, column 1: $ without a name"},
		{"a ${x", "log format, column 3: ${ without a name and }"},
		{"%{x", "log format, column 1: %{ without }"},
		{"%>", "log format, column 1: % without a directive"},
		{"%t %r %!", "log format, column 7: % without a directive"},
		{"%{%Q}t", "log format, column 1: the time format has a conversion that is not known here (known are Y y m d e b h H M S z Z T D F)"},
		{"%" + strings.Repeat("x", maxPattern), "log format: longer than 8192 bytes"},
	} {
		if _, err := ParseFormat(test.format); err == nil || err.Error() != test.want {
			t.Errorf("%.60s: %v, want %s", test.format, err, test.want)
		}
	}
}

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		want  string
		lines []string
	}{
		{"combined", []string{combinedLine, "rubbish", combinedLine}},
		{"common", []string{`203.0.113.9 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 200 1`}},
		{"vhost-combined", []string{"shop.example:443 " + combinedLine}},
		{"caddy", []string{caddyLine, `{"level":"info","msg":"started"}`}},
		{"traefik", []string{traefikJSONL}},
		{"traefik", []string{traefikCLF}},
		{"envoy-json", []string{envoyLine}},
		{"nginx-json", []string{nginxLine}},
		{"nginx-json", []string{`{"time":"2026-01-02T03:04:05Z","remote_addr":"203.0.113.9","method":"GET","uri":"/a","status":200,"duration":0.5}`}},
		{"", []string{"a", "b", combinedLine}},
		{"", []string{`{"a":1}`}},
		{"", nil},
	} {
		var sample [][]byte
		for _, line := range test.lines {
			sample = append(sample, []byte(line))
		}
		f, ok := Detect(sample)
		if got := ""; ok {
			if got = f.Name(); got != test.want {
				t.Errorf("%.60q: %s, want %s", test.lines, got, test.want)
			}
		} else if test.want != "" {
			t.Errorf("%.60q: nothing, want %s", test.lines, test.want)
		}
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, text := range []string{
		"2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T04:04:05+0100", "2026/01/02 03:04:05", "1767323045", "1767323045.000",
		"1767323045000", "1767323045000000", "1767323045000000000", "1.767323045e9", "02/Jan/2026:03:04:05 +0000", "2026-01-02 04:04:05 +0100",
	} {
		if got, ok := parseTime(text); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "5", "-1767323045", "1767323045.x", "0001-01-01T00:00:00Z", "99999999999999999999", "NaN"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%s: %v, want none", text, got)
		}
	}
	var c clf
	for range 2 {
		for _, text := range []string{"02/Jan/2026:03:04:05 +0000", "02/Jan/2026:05:04:05 +0200", "01/Jan/2026:23:34:05 -0330"} {
			got, ok := c.parse(text)
			exact, err := time.Parse(clfLayout, text)
			if !ok || err != nil || !got.Equal(exact) {
				t.Errorf("%s: %v %v, want %v", text, got, ok, exact)
			}
		}
		for _, text := range []string{"02/Jan/2026:24:04:05 +0000", "02/Jan/2026:03:60:05 +0000", "02/Jan/2026:0a:04:05 +0000", "02/Jan/2026 03:04:05 +0000", "02/Jan/0026:03:04:05 +0000"} {
			if got, ok := c.parse(text); ok {
				t.Errorf("%s: %v, want none", text, got)
			}
		}
	}
}

// TestCountsAgreeWithAwk compares a real log with what awk counts in it.
func TestCountsAgreeWithAwk(t *testing.T) {
	text := capture(t)
	awk, err := exec.LookPath("awk")
	if err != nil {
		t.Skip("awk is not installed: nothing to count with")
	}
	file := filepath.Join(os.Getenv("SESHAT_MATERIAL"), "accesslog", "apache-combined.log")
	program := `{ split($0, q, "\""); n = split(q[3], rest, " "); status[rest[1]]++; address[$1]++; m = substr($6, 2); method[m]++; bytes += rest[2] }
END { for (s in status) print "status", s, status[s]; for (a in address) print "address", a, address[a]; for (m in method) print "method", m, method[m]; printf "lines %d %.0f\n", NR, bytes }`
	output, err := exec.Command(awk, program, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		var n int
		if _, err := fmt.Sscan(fields[2], &n); err != nil {
			t.Fatal(err)
		}
		want[fields[0]+" "+fields[1]] = n
	}
	got := map[string]int{}
	f, err := ParseFormat("combined")
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(bytes.NewReader(text), f)
	lines, size := 0, 0
	for {
		x, at, err := r.Read(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("line %d: %v", at.Line, err)
		}
		lines++
		size += int(x.Response.Body.Size)
		got[fmt.Sprint("status ", x.Response.Status)]++
		got["address "+x.Client.IP.String()]++
		got["method "+x.Request.Method]++
	}
	got[fmt.Sprint("lines ", lines)] = size
	if lines != 10_000 {
		t.Errorf("%d lines, want 10000", lines)
	}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: %d, awk counts %d", key, got[key], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d different counts, awk has %d", len(got), len(want))
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	f, err := ParseFormat("combined")
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(combinedLine)
	var r record
	allocations := testing.AllocsPerRun(1000, func() {
		r.reset()
		if f.read(nil, line, &r) != nil || r.complete() != nil {
			t.Fatal("the line cannot be read")
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a line, want none", allocations)
	}
}

func FuzzPattern(f *testing.F) {
	for _, pattern := range []string{patternCombined, patternTraefik, `%{%F}t|\t%%$uri`, "${time_local} $request", `%^FB %{c}a %!2{x}i\"`} {
		f.Add(pattern, combinedLine)
	}
	f.Fuzz(func(t *testing.T, pattern, line string) {
		p, err := Compile(pattern)
		if err != nil {
			return
		}
		var r record
		r.reset()
		if p.scan([]byte(line), &r) == nil && r.complete() == nil && r.exchange.Time.IsZero() {
			t.Fatal("an exchange without time")
		}
	})
}

func FuzzLine(f *testing.F) {
	for _, line := range []string{combinedLine, caddyLine, traefikJSONL, traefikCLF, envoyLine, nginxLine, `1 - - [02/Jan/2026:03:04:05 +0000] "\" \x` + "\xff\n"} {
		f.Add(line)
	}
	var formats []*Format
	for _, name := range Formats() {
		format, err := ParseFormat(name)
		if err != nil {
			f.Fatal(err)
		}
		formats = append(formats, format)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range formats {
			r := NewReader(strings.NewReader(text), format)
			for {
				x, _, err := r.Read(context.Background())
				if errors.Is(err, io.EOF) {
					break
				}
				if err == nil && (x.Time.IsZero() || x.Request.Path == "" && x.Client.IP == netip.Addr{}) {
					t.Fatalf("%s: incomplete: %s", format.Name(), show(x))
				}
			}
		}
	})
}
