package httpfield

import (
	"mime"
	"strings"
	"testing"
)

func TestMediaTypes(t *testing.T) {
	f := func(contentType string, json, form, multipart bool) {
		t.Helper()
		if got := [3]bool{IsJSON(contentType), IsForm(contentType), IsMultipartForm(contentType)}; got != [3]bool{json, form, multipart} {
			t.Errorf("%q: json, form, multipart = %v", contentType, got)
		}
	}
	f("application/json", true, false, false)
	f(" Application/JSON ; charset=utf-8", true, false, false)
	f("application/problem+json", true, false, false)
	f("application/vnd.api+JSON;v=1", true, false, false)
	f("text/json", true, false, false)
	f("Application/X-AMZ-JSON-1.1", true, false, false)
	f("application/x-amz-json-1.0; charset=utf-8", true, false, false)
	f("application/json-patch+json", true, false, false)
	f("application/merge-patch+json", true, false, false)
	f("application/x-json", true, false, false)
	f("application/json5", true, false, false)
	f("application/json-rpc", true, false, false)
	f("application/json-ld", true, false, false)
	f("application/jsonrequest", true, false, false)
	f("text/x-json", true, false, false)
	f("image/jsonish", false, false, false)
	f("application/javascript", false, false, false)
	f("application/x-ndjson", false, false, false)
	f("application/x-jsonlines", false, false, false)
	f("application/jsonl", false, false, false)
	f("application/json-lines", false, false, false)
	f("application/stream+json", false, false, false)
	f("application/vnd.stream+json", false, false, false)
	f("application/x-json-stream", false, false, false)
	f("/json", false, false, false)
	f("application/json-seq", false, false, false)
	f("+json", false, false, false)
	f("text/html; x=application/json", false, false, false)
	f("application/x-www-form-urlencoded;charset=UTF-8", false, true, false)
	f("multipart/form-data; boundary=x", false, false, true)
	f("multipart/mixed; boundary=x", false, false, false)
	f("", false, false, false)
	f(";", false, false, false)
}

func TestBoundary(t *testing.T) {
	f := func(contentType, want string, wantOK bool) {
		t.Helper()
		got, ok := Boundary(contentType)
		if ok != wantOK || ok && got != want {
			t.Errorf("Boundary(%q) = %q, %v, want %q, %v", contentType, got, ok, want, wantOK)
		}
	}
	f("multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW", true)
	f(`Multipart/Form-Data;charset="a;boundary=b";BOUNDARY="a b:c"`, "a b:c", true)
	f("multipart/form-data; x; boundary=y;z", "y", true)
	f("multipart/form-data", "", false)
	f("multipart/form-data; boundary=", "", false)
	f("multipart/form-data; boundary=\"x", "", false)
	f("multipart/form-data; boundary="+strings.Repeat("x", 70), strings.Repeat("x", 70), true)
	f("multipart/form-data; boundary="+strings.Repeat("x", 71), "", false)
	f("multipart/form-data; boundary=\"x \"", "", false)
	f("text/plain; boundary=x", "", false)
}

// FuzzMediaType compares with mime.ParseMediaType where that finds no fault.
func FuzzMediaType(f *testing.F) {
	f.Add("multipart/form-data; boundary=x")
	f.Add(`multipart/form-data; a="\"b"; boundary="x y"`)
	f.Add("application/json; charset=utf-8")
	f.Fuzz(func(t *testing.T, contentType string) {
		boundary, ok := Boundary(contentType)
		media, parameters, err := mime.ParseMediaType(contentType)
		if err != nil || media == "" {
			return
		}
		if got := strings.ToLower(strings.TrimSpace(MediaType(contentType))); got != media {
			t.Fatalf("MediaType(%q) = %q, want %q", contentType, got, media)
		}
		if strings.ContainsAny(contentType, "\\*%") || hasControl(contentType) || !strings.HasPrefix(media, "multipart/") { // RFC 2231 is not for us, nor are line breaks
			return
		}
		want := parameters["boundary"]
		if valid := want != "" && len(want) <= maxBoundary && !strings.HasSuffix(want, " "); ok != valid || ok && boundary != want {
			t.Fatalf("Boundary(%q) = %q, %v, want %q", contentType, boundary, ok, want)
		}
	})
}
