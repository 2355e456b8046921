package test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secretRules look at every place that has secrets: identifiers by every kind of location, a parameter that is hashed,
// and values that are masked.
const secretRules = `
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: everything}
spec:
  identifiers:
    - cookie: SESSID
    - header: Authorization
    - header: X-Session
    - extract: {location: query, key: token}
    - extract: {location: body, jsonPath: $.auth.token}
    - extract: {location: body, key: form_token}
    - extract: {location: pathParameter, key: jsessionid}
    - extract: {location: pathSegment, segment: 1}
    - in: response
      extract: {location: body, jsonPath: $.access_token}
    - extract: {location: header, key: X-Wrapped}
      transformations: [base64Decode, {jsonPath: $.inner.jwt}]
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: card}
spec:
  hash: true
  extract: {location: header, key: X-Card}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: passwords}
spec: {location: body, key: password}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: json-passwords}
spec: {location: body, jsonPath: $.password}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: masked-header}
spec: {location: header, key: X-Masked}
---
apiVersion: seshat/v1
kind: ContextParameter
metadata: {name: masked}
spec:
  extract: {location: header, key: X-Masked-Too}
---
apiVersion: seshat/v1
kind: MaskRule
metadata: {name: masked-too}
spec: {location: header, key: X-Masked-Too}
`

// secrets is traffic with a secret in every place. Each is a text of its own, so that a finding names its place.
type secrets struct {
	exchanges strings.Builder
	raw       map[string]string // by place
	n         int
}

// secret makes a secret that can be told from all others and from everything else.
func (s *secrets) secret(place string) string {
	value := "S3cr3t" + hex.EncodeToString([]byte(place))[:min(20, 2*len(place))] + fmt.Sprintf("Zq%04dxW", len(s.raw))
	s.raw[place] = value
	return value
}

type header [2]string

// exchange adds an exchange.
func (s *secrets) exchange(method, path, query string, headers []header, body string, answer []header, answerBody string) {
	s.n++
	line, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("s%d", s.n), "time": fmt.Sprintf("2026-01-02T03:04:%02dZ", s.n%60), "service": "shop",
		"client": map[string]any{"ip": "192.0.2.1"},
		"request": map[string]any{
			"method": method, "scheme": "https", "host": "shop.example", "path": path, "query": query,
			"headers": append([]header{{"User-Agent", "browser"}}, headers...), "body": body, "body_bytes": len(body),
		},
		"response": map[string]any{"status": 200, "headers": answer, "body": answerBody, "body_bytes": len(answerBody)},
	})
	if err != nil {
		panic(err) // texts and numbers
	}
	s.exchanges.Write(line)
	s.exchanges.WriteByte('\n')
}

func jwtOf(claims map[string]any, signature string) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part(payload) + "." + part([]byte(signature))
}

func secretTraffic() *secrets {
	s := &secrets{raw: map[string]string{}}
	const form, asJSON = "application/x-www-form-urlencoded", "application/json"
	basic := base64.StdEncoding.EncodeToString([]byte("alice:" + s.secret("basic password")))
	s.raw["basic credentials"] = basic
	inner := jwtOf(map[string]any{"sid": s.secret("claim of a nested token")}, s.secret("signature of a nested token"))
	s.raw["nested token"] = inner
	wrapped := base64.StdEncoding.EncodeToString([]byte(`{"inner":{"jwt":"` + inner + `"}}`))
	s.raw["wrapped token"] = wrapped
	bearer := jwtOf(map[string]any{"sub": "alice", "jti": s.secret("jti"), "sid": s.secret("sid")}, s.secret("signature"))
	s.raw["bearer token"] = bearer

	s.exchange("GET", "/", "", []header{{"Cookie", "SESSID=" + s.secret("cookie") + "; connect.sid=" + s.secret("built-in cookie") + "; other=" + s.secret("unknown cookie")}},
		"", []header{{"Set-Cookie", "SESSID=" + s.secret("set-cookie") + "; Path=/; HttpOnly"}, {"Set-Cookie", "remember_token=" + s.secret("other set-cookie")}}, "")
	s.exchange("GET", "/", "", []header{{"Authorization", "Bearer " + bearer}}, "", nil, "")
	s.exchange("GET", "/", "", []header{{"Authorization", "Bearer " + s.secret("opaque bearer")}}, "", nil, "")
	s.exchange("GET", "/", "", []header{{"Authorization", "Basic " + basic}}, "", nil, "")
	s.exchange("GET", "/", "", []header{{"X-Session", s.secret("header")}, {"X-Api-Key", s.secret("api key")}, {"X-Unknown", s.secret("unknown header")}}, "", nil, "")
	s.exchange("GET", "/find", "token="+s.secret("query")+"&access_token="+s.secret("built-in query")+"&q="+s.secret("unknown query")+"&enc="+url.QueryEscape("a b&"+s.secret("encoded query")), nil, "", nil, "")
	s.exchange("GET", "/page;jsessionid="+s.secret("path parameter"), "", nil, "", nil, "")
	s.exchange("GET", "/reset/"+s.secret("path segment")+"/confirm", "", nil, "", nil, "")
	s.exchange("POST", "/login", "", []header{{"Content-Type", asJSON}}, `{"auth":{"token":"`+s.secret("json body")+`"},"password":"`+s.secret("json password")+`","refresh_token":"`+s.secret("refresh token")+`"}`,
		[]header{{"Content-Type", asJSON}}, `{"access_token":"`+s.secret("response token")+`","refresh_token":"`+s.secret("response refresh token")+`","note":"`+s.secret("response body")+`"}`)
	s.exchange("POST", "/login", "", []header{{"Content-Type", form}}, "form_token="+s.secret("form body")+"&password="+s.secret("form password")+"&username=alice&code="+s.secret("form code")+"&x="+s.secret("unknown form field"), nil, "")
	s.exchange("GET", "/", "", []header{{"X-Wrapped", wrapped}, {"X-Card", s.secret("hashed parameter")}, {"X-Masked", s.secret("masked header")}, {"X-Masked-Too", s.secret("masked parameter")}}, "", nil, "")
	s.exchange("GET", "/", "", []header{{"Referer", "https://shop.example/find?token=" + s.secret("referer")}}, "", []header{{"Location", "/next?code=" + s.secret("location") + "&access_token=" + s.secret("location token")}}, "")
	return s
}

// forms are the ways in which a secret could be written and still be read.
func forms(secret string) [][]byte {
	out := [][]byte{[]byte(secret)}
	for offset := range 3 { // Base64 of it somewhere inside something longer: what does not depend on its neighbours
		text := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{'.'}, offset), secret...))
		out = append(out, []byte(text[4:len(text)-4]))
	}
	return append(out,
		[]byte(url.QueryEscape(secret)), []byte(hex.EncodeToString([]byte(secret))), []byte(strings.ToLower(secret)),
		[]byte(secret[:len(secret)-4]), []byte(secret[8:])) // more of it than a masked form has
}

// find fails the test for every secret that is in the data.
func (s *secrets) find(t *testing.T, where string, data []byte) {
	t.Helper()
	for place, secret := range s.raw {
		for _, form := range forms(secret) {
			if i := bytes.Index(data, form); i >= 0 {
				t.Errorf("%s has the secret of %q: …%q…", where, place, data[max(0, i-40):min(len(data), i+len(form)+20)])
				break
			}
		}
	}
}

// files looks into every file of the data directory.
func (s *secrets) files(t *testing.T, folder string) {
	t.Helper()
	looked := 0
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		looked++
		s.find(t, path, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 3 {
		t.Errorf("there are only %d files in the data directory: this test looks at the wrong place", looked)
	}
}

// TestNoSecretIsKeptOrShown sends secrets through every place that they come in, and looks for them in every file of
// the data directory and everything that commands print.
func TestNoSecretIsKeptOrShown(t *testing.T) {
	traffic := secretTraffic()
	folder := t.TempDir()
	capture := write(t, folder, "secrets.ndjson", traffic.exchanges.String())
	first, _, _ := strings.Cut(traffic.exchanges.String(), "\n")
	// What is wrong with these lines is behind a secret, or is one.
	bad := write(t, folder, "bad.ndjson", first[:len(first)-30]+"\n"+
		strings.Replace(first, `"scheme":"https"`, `"scheme":{"a":"`+traffic.secret("in place of a text")+`"}`, 1)+"\n"+
		traffic.secret("a line that is no JSON")+"\n"+first+"\n")
	badLog := write(t, folder, "bad.log", `192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET /x HTTP/1.1" 200 5 "-" "browser"`+"\n"+
		`192.0.2.1 - - [not a time] "GET /?token=`+traffic.secret("a bad log line")+` HTTP/1.1" 200 5`+"\n")

	for _, withRules := range []bool{true, false} {
		t.Run(fmt.Sprintf("rules=%v", withRules), func(t *testing.T) {
			s := fresh(t)
			say := func(args ...string) *result {
				t.Helper()
				r := s.run(args...)
				traffic.find(t, "seshat "+strings.Join(args, " "), []byte(r.stdout+r.stderr))
				return r
			}
			if withRules {
				say("apply", "-f", write(t, t.TempDir(), "rules.yaml", secretRules)).want(0)
			}
			if got := say("--verbose", "import", "--output", "json", capture).want(0).summary(); got.Stored != int64(traffic.n) {
				t.Fatalf("%d exchanges were sent: %+v", traffic.n, got)
			}
			say("--verbose", "--log", "json", "import", bad, badLog).want(0).says("bad.ndjson:1:", "bad.ndjson:2:", "bad.ndjson:3:", "bad.log:2:")
			traffic.files(t, s.data)

			for _, format := range []string{"table", "json", "csv"} {
				say("sessions", "--since", "all", "--format", format).want(0)
			}
			columns := "time,id,key,session_id,user,roles,status,method,scheme,host,path,endpoint,service,ip,user_agent,identifier,origin,client_session_ids,flows"
			if withRules {
				columns += ",attr.card,attr.masked"
			}
			for _, format := range []string{"table", "ndjson", "csv"} {
				say("--verbose", "explore", "--since", "all", "--limit", "0", "--format", format, "--columns", columns).want(0)
			}
			for _, one := range s.sessions() {
				say("session", one.ID).want(0)
				say("session", one.ID, "--format", "json").want(0)
			}
			for n := range traffic.n {
				say("explain", "--id", fmt.Sprintf("s%d", n+1)).want(0)
			}
			say("explain", capture).want(0)
			say("explain", "--format", "json", capture).want(0)
			say("explain", bad)
			say("get", "-o", "yaml").want(0)
			for _, format := range []string{"csv", "ndjson", "har", "parquet"} {
				for _, what := range []string{"sessions", "exchanges"} {
					if what == "sessions" && format == "har" {
						continue
					}
					out := filepath.Join(t.TempDir(), "out."+format)
					say("--verbose", "export", what, "--since", "all", "--format", format, "-o", out).want(0)
					traffic.find(t, "the export of "+what+" as "+format, []byte(read(t, out)))
				}
			}
			if withRules {
				card := say("explore", "attr.card:*", "--since", "all", "--columns", "attr.card", "--format", "csv").want(0)
				if len(strings.Fields(card.stdout)) != 2 {
					t.Errorf("of the hashed parameter not even the hash is there: %v", card)
				}
			}
			traffic.files(t, s.data)

			// The one who has a secret finds its session.
			r := s.runWith(traffic.raw["cookie"]+"\n", "session", "-")
			if withRules {
				r.want(0)
			}
			traffic.find(t, "seshat session -", []byte(r.stdout+r.stderr))
		})
	}
}

// TestNoSecretIsSpooled kills an import while what it read waits in temporary files, and looks into them.
func TestNoSecretIsSpooled(t *testing.T) {
	traffic := secretTraffic()
	var many strings.Builder
	lines := strings.Split(strings.TrimSpace(traffic.exchanges.String()), "\n")
	for n := range 8_000 { // enough that it does not fit into memory
		for _, line := range lines {
			many.WriteString(strings.Replace(line, `"id":"`, fmt.Sprintf(`"id":"%d-`, n), 1) + "\n")
		}
	}
	s := fresh(t)
	s.ok("apply", "-f", write(t, t.TempDir(), "rules.yaml", secretRules))
	pipe := filepath.Join(t.TempDir(), "pipe")
	makePipe(t, pipe)
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	cmd := s.command(ctx, "import", "--format", "ndjson", pipe)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.WriteString(many.String()); err != nil { // it has read all of it, but for what a pipe holds
		t.Fatal(err)
	}
	cancel() // SIGKILL
	_ = cmd.Wait()
	_ = in.Close()
	if len(leftovers(t, s)) == 0 {
		t.Fatal("nothing was spooled: this test kills too early")
	}
	traffic.files(t, s.data)
	s.importing(write(t, t.TempDir(), "one.ndjson", lines[0]))
	if left := leftovers(t, s); len(left) > 0 {
		t.Errorf("the next import leaves the files of the killed one behind: %v", left)
	}
}
