package filter

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkRoundTrip fails unless what input parses to prints as something that parses to an equal expression.
func checkRoundTrip(t interface {
	Helper()
	Fatalf(string, ...any)
}, input string, fields *Fields,
) {
	t.Helper()
	e, err := Parse(input, fields, testNow())
	if err != nil || e == nil {
		return
	}
	printed := e.String()
	if len(printed) > MaxLength {
		return // relative times and dates print longer than they are written
	}
	again, err := Parse(printed, fields, testNow())
	if err != nil {
		t.Fatalf("%q prints as %q, which does not parse: %v", input, printed, err)
	}
	if !reflect.DeepEqual(e, again) {
		t.Fatalf("%q prints as %q, which parses to something else: %q", input, printed, again.String())
	}
}

func FuzzParse(f *testing.F) {
	for _, fields := range []*Fields{Sessions(), Exchanges()} {
		for i := range fields.list {
			f.Add(fields.list[i].Example)
		}
	}
	f.Add(`a b OR -(c "d e" OR user:(x,"or" y)) NOT time:2026-01-02..now`)
	f.Add(`user:"\"\\\*" endpoint:"p*t Host/a*\\*b" ip:::1 duration:1d1h request_bytes:1.5KiB..`)
	f.Add(`endpoint:" *" endpoint:"* *"`)
	f.Fuzz(func(t *testing.T, input string) {
		checkRoundTrip(t, input, Exchanges())
		checkRoundTrip(t, input, Sessions())
	})
}

// TestRoundTrip builds filters of every form, so that most of what it draws parses.
func TestRoundTrip(t *testing.T) {
	value := func(field *Field) *rapid.Generator[string] {
		switch field.Type {
		case TypeEnum:
			return rapid.SampledFrom(field.Values)
		case TypeNumber:
			return rapid.SampledFrom([]string{"0", "200", "0.25", "1e3", "-1"})
		case TypeBytes:
			return rapid.SampledFrom([]string{"0", "512", "10KiB", "1.5MB"})
		case TypeDuration:
			return rapid.SampledFrom([]string{"0s", "250ms", "1h30m", "7d", "3us"})
		case TypeTime:
			return rapid.SampledFrom([]string{"now", "now-1h", "2026-01-02", "2026-01-02T03:04", "2026-01-02T03:04:05.6Z"})
		case TypeIP:
			return rapid.SampledFrom([]string{"10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"})
		case TypeEndpoint:
			return rapid.SampledFrom([]string{"/a", `"GET /a"`, `"P* */a"`, `"* H*.Example/{var1}"`, `/\*`, "*/x*", "h.example/"})
		default:
			return rapid.StringMatching(`[a-zA-Zé*.:-]{1,6}|"[a-zA-Z *(),<>=:-]{1,6}"|=[*a]{1,3}`)
		}
	}
	term := func(fields *Fields) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			field := rapid.SampledFrom(fields.All()).Draw(t, "field")
			name := field.Name
			if field.Family {
				name += "." + rapid.StringMatching(`[a-zA-Z.*]{1,6}`).Draw(t, "attribute")
			}
			one := func() string {
				v := value(&field).Draw(t, "value")
				if !field.Type.ordered() {
					return v
				}
				form := rapid.SampledFrom([]string{"%", "=%", "<%", "<=%", ">%", ">=%", "%..", "..%", "%..%"}).Draw(t, "form")
				return strings.ReplaceAll(form, "%", v)
			}
			switch rapid.IntRange(0, 9).Draw(t, "shape") {
			case 0:
				return name + ":*"
			case 1:
				return name + ":(" + one() + ", " + one() + " " + one() + ")"
			case 2:
				return rapid.StringMatching(`[a-zA-Z/*]{1,6}|"[ -~]{1,6}"`).Draw(t, "word")
			default:
				return name + ":" + one()
			}
		})
	}
	var expr func(t *rapid.T, fields *Fields, depth int) string
	expr = func(t *rapid.T, fields *Fields, depth int) string {
		if depth == 0 {
			return term(fields).Draw(t, "term")
		}
		inner := func() string { return expr(t, fields, depth-1) }
		switch rapid.IntRange(0, 4).Draw(t, "node") {
		case 0:
			return inner() + " " + inner()
		case 1:
			return inner() + " OR " + inner()
		case 2:
			return "-(" + inner() + ")"
		case 3:
			return "NOT " + inner()
		default:
			return "(" + inner() + ") AND " + inner()
		}
	}
	parsed, drawn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SampledFrom([]*Fields{Sessions(), Exchanges()}).Draw(t, "fields")
		input := expr(t, fields, rapid.IntRange(0, 3).Draw(t, "depth"))
		drawn++
		if e, err := Parse(input, fields, testNow()); err == nil && e != nil {
			parsed++
		}
		checkRoundTrip(t, input, fields)
	})
	if parsed*2 < drawn {
		t.Errorf("only %d of %d drawn filters parse; the property is hardly tested", parsed, drawn)
	}
}
