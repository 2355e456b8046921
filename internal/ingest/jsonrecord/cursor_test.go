package jsonrecord

import (
	"errors"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/ingest"
)

// read reads one value of text with f, and makes sure that nothing follows.
func read[T any](text string, f func(*Cursor) (T, error)) (T, error) {
	var c Cursor
	c.Reset([]byte(text))
	value, err := f(&c)
	if err == nil {
		err = c.End()
	}
	return value, err
}

func TestScalars(t *testing.T) {
	text := func(c *Cursor) (any, error) { return c.Text("f") }
	number := func(c *Cursor) (any, error) { n, _, err := c.Number("f"); return n, err }
	integer := func(c *Cursor) (any, error) { n, _, err := c.Integer("f"); return n, err }
	truth := func(c *Cursor) (any, error) { return c.Bool("f") }
	scalar := func(c *Cursor) (any, error) { return c.Scalar() }
	for _, test := range []struct {
		text string
		f    func(*Cursor) (any, error)
		want any
		err  string
	}{
		{text: ` "a\u00e9\n" `, f: text, want: "aé\n"},
		{text: `""`, f: text, want: ""},
		{text: "\"\xff\"", f: text, want: "\uFFFD"},
		{text: `null`, f: text, want: ""},
		{text: `1`, f: text, err: "f: a number where a string is expected"},
		{text: `true`, f: text, err: "f: true or false where a string is expected"},
		{text: `{}`, f: text, err: "f: an object where a string is expected"},
		{text: `"secret\q"`, f: text, err: "not valid JSON at column 8"},
		{text: `"secret`, f: text, err: "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{text: ``, f: text, err: "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{text: `"a" "b"`, f: text, err: "something follows the JSON object (one object a line)"},
		{text: `-1.5e3`, f: number, want: -1500.0},
		{text: `null`, f: number, want: 0.0},
		{text: `"1"`, f: number, err: "f: a string where a number is expected"},
		{text: `1e999`, f: number, err: "f: a number too large"},
		{text: `9007199254740992`, f: integer, want: int64(1 << 53)},
		{text: `9007199254740994`, f: integer, err: "f: not an integer"},
		{text: `1.0`, f: integer, want: int64(1)},
		{text: `1.5`, f: integer, err: "f: not an integer"},
		{text: `true`, f: truth, want: true},
		{text: `false`, f: truth, want: false},
		{text: `0`, f: truth, err: "f: a number where true or false is expected"},
		{text: `1.50`, f: scalar, want: "1.50"},
		{text: `"x"`, f: scalar, want: "x"},
		{text: `true`, f: scalar, want: "true"},
		{text: `null`, f: scalar, want: ""},
		{text: `[1,{"a":2}]`, f: scalar, want: ""},
	} {
		got, err := read(test.text, test.f)
		if test.err != "" {
			var field *ingest.FieldError
			if err == nil || err.Error() != test.err || !errors.As(err, &field) {
				t.Errorf("%s: %v, %v; want the error %s", test.text, got, err, test.err)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%s: %v, %v; want %v", test.text, got, err, test.want)
		}
	}
}

func TestObjectsAndArrays(t *testing.T) {
	show := func(c *Cursor) (string, error) {
		var b strings.Builder
		err := c.Object("o", func(name string) error {
			b.WriteString(name + "=")
			if c.Kind() != '[' {
				return c.Skip()
			}
			return c.Array("a", "a list", func(int) error {
				value, err := c.Scalar()
				b.WriteString(value + ";")
				return err
			})
		})
		return b.String(), err
	}
	for _, test := range []struct{ text, want, err string }{
		{text: `{"a":[1,2],"\u0062":{"c":[3]},"a":[]}`, want: "a=1;2;b=a="},
		{text: `{}`},
		{text: `null`},
		{text: `[]`, err: "o: an array where an object is expected"},
		{text: `{"a":[1,2`, err: "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{text: `{"a":[1 2]}`, err: "not valid JSON at column 9"},
		{text: `{"a":[1]`, err: "the JSON ends too early (is the file cut off, or one object on several lines?)"},
		{text: `{a:1}`, err: "not valid JSON at column 2"},
	} {
		got, err := read(test.text, show)
		if test.err == "" && (err != nil || got != test.want) || test.err != "" && (err == nil || err.Error() != test.err) {
			t.Errorf("%s: %q, %v; want %q, %q", test.text, got, err, test.want, test.err)
		}
	}
}
