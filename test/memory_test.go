package test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mostMemory is what an import may take, whatever the size of its input.
const mostMemory = 300 << 20

// TestMemory imports files that do not fit into that. SESHAT_BIG=1 makes them 2 GB, which takes minutes.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it imports hundreds of megabytes")
	}
	har, log, ndjson := int64(400<<20), int64(250<<20), int64(100<<20)
	if os.Getenv("SESHAT_BIG") == "1" {
		har, log, ndjson = 2<<30, 2<<30, 2<<30
	}
	for name, c := range map[string]struct {
		size  int64
		write func(out *bufio.Writer, n int) int
		head  string
		tail  string
	}{
		"big.har":    {har, writeHAREntry, `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[`, "]}}\n"},
		"access.log": {log, writeLogLine, "", ""},
		"big.ndjson": {ndjson, writeExchange, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			entries := generate(t, path, c.size, c.head, c.tail, c.write)
			s := fresh(t)
			r, peak := s.measured("import", "--output", "json", path)
			r.want(0)
			if got := r.summary(); got.Read != entries || got.Stored != entries || got.Bad != 0 {
				t.Errorf("%d exchanges were written: %+v", entries, got)
			}
			if peak == 0 {
				t.Skip("this system does not say how much memory a process had")
			}
			t.Logf("%d MB with %d exchanges: %d MB of memory, %.1f s", c.size>>20, entries, peak>>20, r.summary().Seconds)
			if peak > mostMemory {
				t.Errorf("the import took %d MB of memory, more than %d", peak>>20, mostMemory>>20)
			}
		})
	}
}

// generate writes a file of about that size and returns how many entries it has.
func generate(t testing.TB, path string, size int64, head, tail string, write func(*bufio.Writer, int) int) int64 {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	_, _ = out.WriteString(head) // Flush has the error
	n, written := 0, int64(0)
	for ; written < size; n++ {
		written += int64(write(out, n))
	}
	_, _ = out.WriteString(tail)
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return int64(n)
}

// moment is the time of the nth exchange: some a second, for hours.
func moment(n int) time.Time {
	return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(n) * 37 * time.Millisecond)
}

// A page of text and a picture, as a browser's capture has them: a HAR is bodies for the most part.
var (
	pageBody = strings.Repeat("<p>Nothing in here is looked at, and all of it has to be read.</p>\\n", 60)
	picture  = strings.Repeat("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", 900)
)

func writeHAREntry(out *bufio.Writer, n int) int {
	comma, body := "", pageBody
	if n > 0 {
		comma = ","
	}
	if n%10 == 0 {
		body = picture
	}
	wrote, _ := fmt.Fprintf(out, `%s{"startedDateTime":%q,"time":12.5,"request":{"method":"GET","url":"https://www.shop.example/products/%d?page=%d","httpVersion":"HTTP/2","headers":[{"name":"user-agent","value":"browser/%d"},{"name":"cookie","value":"SESSID=%032x"}],"cookies":[{"name":"SESSID","value":"%032x"}],"queryString":[],"headersSize":-1,"bodySize":0},`+
		`"response":{"status":200,"statusText":"","httpVersion":"HTTP/2","headers":[{"name":"content-type","value":"text/html"}],"cookies":[],"content":{"size":%d,"mimeType":"text/html","text":"%s"},"redirectURL":"","headersSize":-1,"bodySize":0},"cache":{},"timings":{"send":0,"wait":12,"receive":0}}`,
		comma, moment(n).Format(time.RFC3339Nano), n%5000, n, n%9, n/20, n/20, len(body), body)
	return wrote
}

func writeLogLine(out *bufio.Writer, n int) int {
	wrote, _ := fmt.Fprintf(out, `%d.%d.%d.%d - - [%s] "GET /products/%d?page=%d HTTP/1.1" %d %d "https://www.shop.example/products" "Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0"`+"\n",
		10+n/20%3, n/60%200, n/12000%250, 1+n/3000000, moment(n).Format("02/Jan/2006:15:04:05 -0700"), n%5000, n, 200+n%50/49*204, 1000+n%9000, 100+n/20%40, 100+n/20%40)
	return wrote
}

func writeExchange(out *bufio.Writer, n int) int {
	wrote, _ := fmt.Fprintf(out, `{"id":"e%d","time":%q,"duration_ms":12.3,"service":"shop","client":{"ip":"198.51.%d.%d"},"request":{"method":"GET","scheme":"https","host":"api.shop.example","path":"/orders/%d","query":"page=%d","headers":[["Cookie","SESSID=%032x; lang=en; theme=dark"],["User-Agent","browser/%d"],["Accept","application/json"],["Accept-Encoding","gzip, br"]]},"response":{"status":200,"headers":[["Content-Type","application/json"]],"body":"{\"items\":[{\"id\":%d,\"name\":\"a thing that one can buy\"}]}"}}`+"\n",
		n, moment(n).Format(time.RFC3339Nano), n/300%250, n/20%250, n%5000, n, n/20, n%9, n)
	return wrote
}
