package identify_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/rule"
)

// recordedMessage is a message of the recordings, as docs/formats/ndjson.md says.
type recordedMessage struct {
	Method, Scheme, Host, Path, Query string
	Status                            int
	Headers                           [][2]string
	Body                              string
	BodyBase64                        []byte `json:"body_base64"`
	BodyTruncated                     bool   `json:"body_truncated"`
}

func (m *recordedMessage) header() []seshat.Field {
	out := make([]seshat.Field, 0, len(m.Headers))
	for _, f := range m.Headers {
		out = append(out, seshat.Field{Name: f[0], Value: f[1]})
	}
	return out
}

func (m *recordedMessage) body() seshat.Body {
	b := seshat.Body{Bytes: []byte(m.Body), Truncated: m.BodyTruncated}
	if m.BodyBase64 != nil {
		b.Bytes = m.BodyBase64
	}
	b.Size = int64(len(b.Bytes))
	return b
}

// eachRecorded calls f with the recorded exchanges, in their order.
func eachRecorded(t *testing.T, f func(x *seshat.Exchange)) {
	t.Helper()
	material := os.Getenv("SESHAT_MATERIAL")
	if material == "" {
		if os.Getenv("SESHAT_NO_SKIP") == "1" {
			t.Fatal("SESHAT_MATERIAL is not set: it names the folder of the recordings")
		}
		t.Skip("SESHAT_MATERIAL is not set: it names the folder of the recordings")
	}
	file, err := os.Open(filepath.Join(material, "traffic", "dev", "exchanges.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			ID                   string
			Time                 time.Time
			Environment, Service string
			Client               struct{ IP netip.Addr }
			Request, Response    recordedMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		q, a := &line.Request, &line.Response
		f(&seshat.Exchange{
			ID: line.ID, Time: line.Time, Environment: line.Environment, Service: line.Service, Client: seshat.Client{IP: line.Client.IP},
			Request: seshat.Request{
				Method: q.Method, Scheme: q.Scheme, Host: q.Host, Path: q.Path, Query: q.Query, Header: q.header(), Body: q.body(),
			},
			Response: seshat.Response{Status: a.Status, Header: a.header(), Body: a.body()},
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// capture is x as a source sees it that asks which bodies are needed.
func capture(e *identify.Engine, x seshat.Exchange) (captured seshat.Exchange, request, response bool) {
	requestBody, answer := x.Request.Body, x.Response
	x.Request.Body, x.Response = seshat.Body{Size: requestBody.Size}, seshat.Response{}
	if request = e.NeedsBody(&x, seshat.InRequest); request {
		x.Request.Body = requestBody
	}
	x.Response = answer
	x.Response.Body = seshat.Body{Size: answer.Body.Size}
	if response = e.NeedsBody(&x, seshat.InResponse); response {
		x.Response.Body = answer.Body
	}
	return x, request, response
}

// all of an identity, as text.
func written(id *seshat.Identity) string {
	lines := []string{fmt.Sprintf("grouping %+v", id.IDs[id.Grouping])}
	for i := range id.IDs {
		lines = append(lines, fmt.Sprintf("id %+v", id.IDs[i]))
	}
	lines = append(lines, fmt.Sprintf("parameters %+v", id.Parameters), fmt.Sprintf("flows %+v", id.Flows))
	return fmt.Sprint(lines)
}

// TestNeedsBodyOfRecordedTraffic identifies every recorded exchange with all its bodies and with those alone that are
// needed: nothing may be missing. Nor may most bodies be captured, which would make that easy.
func TestNeedsBodyOfRecordedTraffic(t *testing.T) {
	for name, resources := range map[string][]seshat.Resource{
		"built-in": nil,
		"with rules": {
			declare("cart", &seshat.SessionRuleSpec{
				Scope:       seshat.Scope{URLs: []string{"/v1/cart"}},
				Identifiers: []seshat.Identifier{{In: "response", Extract: &seshat.Extract{Location: "body", JSONPath: "$.id"}}},
			}),
			declare("items", &seshat.ContextParameterSpec{
				Scope: seshat.Scope{Services: []string{"pocketbase"}}, In: "response", Extract: seshat.Extract{Location: "body", JSONPath: "$.totalItems"},
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := engine(t, resources...)
			full, part := e.NewWorker(), e.NewWorker()
			var want, got seshat.Identity
			var requests, responses, capturedRequests, capturedResponses, failures int
			eachRecorded(t, func(x *seshat.Exchange) {
				captured, request, response := capture(e, *x)
				full.Identify(x, &want)
				part.Identify(&captured, &got)
				if w, g := written(&want), written(&got); w != g && failures < 3 {
					failures++
					t.Errorf("%s: %s %s\nwithout bodies that are not needed: %s\nwith all bodies: %s", x.ID, x.Request.Method, x.Request.Path, g, w)
				}
				if len(x.Request.Body.Bytes) > 0 {
					requests++
					if request {
						capturedRequests++
					}
				}
				if len(x.Response.Body.Bytes) > 0 {
					responses++
					if response {
						capturedResponses++
					}
				}
			})
			t.Logf("captured %d of %d request bodies and %d of %d response bodies", capturedRequests, requests, capturedResponses, responses)
			if name == "built-in" && capturedResponses > responses/4 {
				t.Errorf("captured %d of %d response bodies", capturedResponses, responses)
			}
		})
	}
}

// TestResponseAddsOnRecordedTraffic checks on real traffic that an exchange whose response is said to add nothing has the
// identity of its request, and that this spares work on most of them.
func TestResponseAddsOnRecordedTraffic(t *testing.T) {
	rules, faults := rule.Compile(nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e := identify.New(rules, testHasher{})
	all, spared := 0, 0
	eachRecorded(t, func(x *seshat.Exchange) {
		all++
		captured := *x
		if !e.NeedsBody(x, seshat.InResponse) {
			captured.Response.Body.Bytes = nil
		}
		if e.ResponseAdds(&captured) {
			return
		}
		spared++
		var whole, request seshat.Identity
		e.Identify(&captured, &whole)
		half := captured
		half.Response = seshat.Response{}
		e.Identify(&half, &request)
		if d := cmp.Diff(whole, request); d != "" {
			t.Errorf("exchange %s (whole, request alone):\n%s", x.ID, d)
		}
	})
	t.Logf("%d of %d exchanges are identified by their request", spared, all)
	if spared < all/2 {
		t.Error("these are too few to be of use")
	}
}
