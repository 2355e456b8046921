package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSameAsDirect sends thousands of odd but valid requests to an origin, directly and through the gateway, and compares
// what the origin gets and what the client gets, byte for byte.
func TestSameAsDirect(t *testing.T) {
	var response string
	rec := newRecorder(t, func(string) string { return response })
	g := newGate(t, []string{rec.addr})
	direct, through := dialPeer(t, rec.addr), g.dial()
	n := 0
	compare := func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "get", "M-SEARCH", "X!#$%&'*+-.^_`|~"}).Draw(t, "method")
		request := oddRequest(t, method)
		response = oddResponse(t, method)
		var got [2]string
		for i, p := range [...]*peer{direct, through} {
			p.send(request)
			got[i] = readRawResponse(t, p, method)
		}
		if got[0] != got[1] {
			t.Fatalf("of %q the client gets %q directly, and %q through the gateway", response, got[0], got[1])
		}
		requests := rec.got()
		if len(requests) != n+2 || requests[n] != requests[n+1] || requests[n] != request {
			t.Fatalf("of %q the origin got %q directly, and %q through the gateway", request, requests[n], requests[n+1:])
		}
		n += 2
	}
	rounds := 20
	if testing.Short() {
		rounds = 2
	}
	for range rounds { // of a hundred, unless the command line says another number
		rapid.Check(t, compare)
	}
	if n < 40*rounds {
		t.Errorf("only %d requests were compared", n)
	}
}

func oddRequest(t *rapid.T, method string) string {
	var b strings.Builder
	b.WriteString(method + " /" + rapid.StringMatching(`([!$&-;=@-\[\]-~"<>|]|%[0-9a-fA-F]{2}){0,40}(\?[!-"$-~]{0,40})?`).Draw(t, "target") + " HTTP/1.1\r\n")
	lines := oddFields(t)
	host := rapid.SampledFrom([]string{"a", "A.example", "a.example:8080", "[::1]", "[::1]:80", "127.0.0.1", "xn--e1afmkfd.", "a_b"}).Draw(t, "host")
	lines = append(lines, oddCase(t, "Host")+":"+oddSpace(t)+host+oddSpace(t))
	body := ""
	switch rapid.IntRange(0, 3).Draw(t, "framing") {
	case 1:
		body = rapid.StringMatching(`(.|\n){0,300}`).Draw(t, "body")
		lines = append(lines, fmt.Sprintf("%s:%s%0*d%s", oddCase(t, "Content-Length"), oddSpace(t), rapid.IntRange(1, 5).Draw(t, "digits"), len(body), oddSpace(t)))
	case 2:
		body = oddChunks(t)
		lines = append(lines, oddCase(t, "Transfer-Encoding")+":"+oddSpace(t)+"chunked"+oddSpace(t))
	}
	for _, line := range rapid.Permutation(lines).Draw(t, "order") {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n" + body
}

// oddFields are fields that are nobody's business but of those at the ends.
func oddFields(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		name := rapid.OneOf(
			rapid.SampledFrom([]string{"Cookie", "cookie", "Accept", "X-a", "x-A", "Authorization", "Content-Type", "Referer", "Via", "Content-Encoding", "Date", "Priority", "Range"}),
			rapid.StringMatching("X[!#$%&'*+.^_`|~0-9a-zA-Z-]{0,20}"),
		).Draw(t, "name")
		if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "x-forwarded-") {
			name = "x-other"
		}
		value := rapid.OneOf(rapid.StringMatching(`([!-~]([\t -~\x{80}-\x{ff}]{0,60}[!-~])?)?`), long(`[!-~]{1,10}`, 500)).Draw(t, "value")
		return name + ":" + oddSpace(t) + value + oddSpace(t)
	}), 0, 12).Draw(t, "fields")
}

// long is what matches the expression up to n times over.
func long(expression string, n int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Repeat(rapid.StringMatching(expression).Draw(t, "piece"), rapid.IntRange(1, n).Draw(t, "times"))
	})
}

func oddSpace(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", " ", "  ", "\t", " \t "}).Draw(t, "space")
}

func oddCase(t *rapid.T, name string) string {
	return rapid.SampledFrom([]string{name, strings.ToLower(name), strings.ToUpper(name)}).Draw(t, "case")
}

func oddChunks(t *rapid.T) string {
	var b strings.Builder
	extension := rapid.SampledFrom([]string{"", ";a", ";a=b", `;a="b;\" c"`, ";a;b=c"})
	for range rapid.IntRange(0, 5).Draw(t, "chunks") {
		data := long(`(.|\r|\n){1,20}`, 200).Draw(t, "data")
		format := rapid.SampledFrom([]string{"%x", "%X", "%05x"}).Draw(t, "size")
		fmt.Fprintf(&b, format, len(data))
		b.WriteString(extension.Draw(t, "extension") + "\r\n" + data + "\r\n")
	}
	b.WriteString(rapid.SampledFrom([]string{"0", "000"}).Draw(t, "last") + extension.Draw(t, "extension") + "\r\n")
	for range rapid.IntRange(0, 3).Draw(t, "trailers") {
		b.WriteString(rapid.StringMatching(`X-[a-zA-Z]{1,10}:[\t ]?[!-~]{0,20}`).Draw(t, "trailer") + "\r\n")
	}
	return b.String() + "\r\n"
}

func oddResponse(t *rapid.T, method string) string {
	status := rapid.SampledFrom([]int{200, 201, 206, 299, 301, 304, 400, 404, 429, 500, 503, 599, 204}).Draw(t, "status")
	lines := append(oddFields(t), oddCase(t, "Date")+": now")
	body := ""
	switch {
	case status == http.StatusNoContent:
	case rapid.Bool().Draw(t, "chunked"):
		lines = append(lines, "Transfer-Encoding: chunked")
		body = oddChunks(t)
	default:
		body = rapid.OneOf(rapid.StringMatching(`(.|\n){0,300}`), long(`[a-z]{10}`, 4000)).Draw(t, "response body")
		lines = append(lines, fmt.Sprintf("Content-Length:%s%d", oddSpace(t), len(body)))
	}
	if method == http.MethodHead || status == http.StatusNotModified {
		body = ""
	}
	phrase := rapid.StringMatching(`[\t -~\x{80}-\x{ff}]{0,20}`).Draw(t, "phrase")
	return fmt.Sprintf("HTTP/1.1 %d %s\r\n%s\r\n\r\n%s", status, phrase, strings.Join(rapid.Permutation(lines).Draw(t, "response order"), "\r\n"), body)
}

// readRawResponse reads a response as it came.
func readRawResponse(t *rapid.T, p *peer, method string) string {
	head := p.head()
	request := "POST / HTTP/1.1\r\n" // what follows a head is framed in the same way
	status := strings.Fields(head)[1]
	if method == http.MethodHead || status == "304" || status == "204" {
		return head
	}
	_, fields, _ := strings.Cut(head, "\r\n")
	var rest strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(fields, "\r\n\r\n"), "\r\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "content-length") || strings.EqualFold(name, "transfer-encoding") {
			rest.WriteString(name + ": " + strings.TrimSpace(value) + "\r\n")
		}
	}
	body, ok := readRawBody(p.r, request+rest.String()+"\r\n")
	if !ok {
		t.Fatalf("the body after %q is cut", head)
	}
	return head + body
}
