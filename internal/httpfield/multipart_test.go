package httpfield

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"reflect"
	"strings"
	"testing"
)

func collectFields(body, boundary string) []string {
	c := MultipartFields([]byte(body), boundary)
	scratch := new(Scratch)
	var got []string
	for name, value, ok := c.Next(scratch); ok; name, value, ok = c.Next(scratch) {
		got = append(got, name+"="+value)
	}
	return got
}

func TestMultipartFields(t *testing.T) {
	f := func(body string, want ...string) {
		t.Helper()
		body = strings.ReplaceAll(body, "\n", "\r\n")
		if got := collectFields(body, "b"); !reflect.DeepEqual(got, want) {
			t.Errorf("fields of %q\n got %q\nwant %q", body, got, want)
		}
	}
	const a = "--b\nContent-Disposition: form-data; name=\"a\"\n\n1\n"
	f(a+"--b--\n", "a=1")
	f("preamble --b\n"+a+"--b--\nepilogue\n"+a, "a=1")
	f(a+a+"--b--", "a=1", "a=1")
	f(a+"--b \t\ncontent-disposition:form-data;name=x\n\ny\n\nz\n--b--", "a=1", "x=y\r\n\r\nz")
	f(a+"--b\nContent-Disposition: form-data; name=\"cut\"\n\n2", "a=1") // the end is missing
	f(a+"--b\nContent-Disposition: form-data; name=\"cut", "a=1")
	f(a+"--b", []string(nil)...) // the delimiter behind 1 is cut as well: "--bx" could follow
	f(a+"--bx\n--b--", "a=1\r\n--bx")
	f("--b\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\n\n1\n"+a+"--b--", "a=1")
	f("--b\nContent-Disposition: form-data; filename*=UTF-8''x; name=f\n\n1\n"+a+"--b--", "a=1")
	f("--b\nContent-Disposition: attachment; name=\"f\"\n\n1\n"+a+"--b--", "a=1")
	f("--b\nContent-Disposition: form-data\n\n1\n"+a+"--b--", "a=1")
	f("--b\nX: y\nContent-Disposition: form-data; name=\"q\\\"r\\\\s\\t\"\nContent-Type: text/plain\n\n1\n--b--", `q"r\s\t=1`)
	f("--b\nContent-Transfer-Encoding: Quoted-Printable\nContent-Disposition: form-data; name=q\n\n=41\n--b--")
	f("--b\nContent-Disposition: form-data; name=e\n\n\n--b--", "e=")
	f("--b\nContent-Disposition: form-data; name=e\n\n--b--", "e=") // the line ends may be shared
	f("--b\n\nno header\n"+a+"--b--", "a=1")
	f("--b--\n" + a)
	f("")
	f("--b")
	f("nothing here")
	f("--b\nContent-Disposition: form-data; name=\"größe\"\n\n値\n--b--", "größe=値")
	f("--b\nContent-Disposition: form-data; name=long\n\n"+strings.Repeat("x", maxFieldValue+1)+"\n"+a+"--b--", "a=1")
	f("--b\nX: "+strings.Repeat("x", maxPartHeader)+"\nContent-Disposition: form-data; name=h\n\n1\n"+a+"--b--", "a=1")

	if got := collectFields("--b\nContent-Disposition: form-data; name=a\n\n1\n--b--", "b"); !reflect.DeepEqual(got, []string{"a=1"}) {
		t.Errorf("with bare line feeds: %q", got)
	}
	if got := collectFields(strings.Repeat("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n", maxParts+5)+"--b--", "b"); len(got) != maxParts {
		t.Errorf("%d parts are read, want %d", len(got), maxParts)
	}
	if got := collectFields("--\r\n\r\n--", ""); got != nil {
		t.Errorf("an empty boundary finds %q", got)
	}
}

func TestMultipartFieldsDoNotAllocate(t *testing.T) {
	body := []byte(strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", 5) + "--b--")
	var scratch Scratch
	if n := testing.AllocsPerRun(100, func() {
		c := MultipartFields(body, "b")
		n := 0
		for _, _, ok := c.Next(&scratch); ok; _, _, ok = c.Next(&scratch) {
			n++
		}
		if n == 0 {
			t.Fatal("found nothing")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzMultipartFields compares with mime/multipart, first on forms that it writes itself, then on any body in which
// it finds no fault and no header that is folded or otherwise out of the ordinary.
func FuzzMultipartFields(f *testing.F) {
	f.Add("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--", "name", "value")
	f.Add("--b\nContent-Disposition: form-data; name=a\n\n1\n--b", "", "")
	f.Add("x\n--b\nContent-Disposition: form-data; name=a\n\n1\n--b\n\n\n--b--", "n\"\\", "\r\n--")
	f.Add("--b\r\n\r\n\r\n--b \r\nContent-Disposition: form-data;name=a;filename=x\r\n\r\n--b--", "", "\r\n")
	f.Fuzz(func(t *testing.T, body, name, value string) {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		for i := range 3 {
			if err := w.WriteField(fmt.Sprint(name, i), value); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		want, err := slowFields(form.String(), w.Boundary())
		if got := collectFields(form.String(), w.Boundary()); err == nil && len(value) <= maxFieldValue && len(name) < maxPartHeader/4 && !reflect.DeepEqual(got, want) {
			t.Fatalf("fields of %q\n got %q\nwant %q", form.String(), got, want)
		}

		if strings.HasSuffix(body, "--b") {
			return // the last delimiter may be the beginning of a longer line: whether the part was cut is a matter of taste
		}
		got := collectFields(body, "b")
		if want, err = slowFields(body, "b"); err == nil && len(body) < maxPartHeader && !reflect.DeepEqual(got, want) {
			t.Fatalf("fields of %q\n got %q\nwant %q", body, got, want)
		}
	})
}

// slowFields reads the fields of a form with mime/multipart. It returns an error for forms that are not comparable.
func slowFields(body, boundary string) (fields []string, err error) {
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") { // a folded header line, perhaps
			return nil, io.ErrNoProgress
		}
		if strings.HasPrefix(line, "--"+boundary) && line != "--"+boundary && line != "--"+boundary+"--" {
			return nil, io.ErrNoProgress // mime/multipart stops at a line that only starts like a delimiter
		}
	}
	if bare := strings.ReplaceAll(body, "\r\n", ""); bare != body && strings.ContainsAny(bare, "\r\n") {
		return nil, io.ErrNoProgress // line ends of both kinds
	}
	if strings.Contains(body, "*") || strings.Contains(body, "%") || strings.Contains(strings.ToLower(body), "transfer-encoding") {
		return nil, io.ErrNoProgress
	}
	r := multipart.NewReader(strings.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		if len(part.Header.Values("Content-Disposition")) > 1 {
			return nil, io.ErrNoProgress
		}
		if name := part.FormName(); name != "" && part.FileName() == "" {
			if strings.Contains(part.Header.Get("Content-Disposition"), "filename") {
				return nil, io.ErrNoProgress // a file with an empty name is still a file
			}
			fields = append(fields, name+"="+string(content))
		}
	}
}
