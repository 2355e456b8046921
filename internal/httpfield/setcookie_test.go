package httpfield

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
)

func TestParseSetCookie(t *testing.T) {
	expires := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := func(field string, want SetCookie) {
		t.Helper()
		got, ok := ParseSetCookie(field)
		if !ok || got != want {
			t.Errorf("ParseSetCookie(%q)\n got %+v, %v\nwant %+v", field, got, ok, want)
		}
	}
	f("a=1", SetCookie{Name: "a", Value: "1"})
	f(` a = "1" ; HttpOnly; Secure; SameSite=Lax`, SetCookie{Name: "a", Value: "1", HTTPOnly: true})
	f("a=1; httponly=no; HttpOnlyX", SetCookie{Name: "a", Value: "1", HTTPOnly: true})
	f("a=1; Path=/x; Domain=.Example.org", SetCookie{Name: "a", Value: "1", Path: "/x", Domain: "Example.org"})
	f("a=1; path=x", SetCookie{Name: "a", Value: "1"})
	f("a=1; Path=/x; Path", SetCookie{Name: "a", Value: "1"})
	f("a=1; MAX-AGE=60", SetCookie{Name: "a", Value: "1", MaxAge: time.Minute, HasMaxAge: true})
	f("a=1; max-age=60; max-age=x; max-age=30s", SetCookie{Name: "a", Value: "1", MaxAge: time.Minute, HasMaxAge: true})
	f("a=1; max-age=060; max-age=+5; max-age=; max-age", SetCookie{Name: "a", Value: "1", MaxAge: time.Minute, HasMaxAge: true})
	f("a=; Max-Age=0", SetCookie{Name: "a", HasMaxAge: true})
	f("a=; Max-Age=-1", SetCookie{Name: "a", MaxAge: -time.Second, HasMaxAge: true})
	f("a=1; Max-Age="+strings.Repeat("9", 400), SetCookie{Name: "a", Value: "1", MaxAge: MaxCookieLifetime, HasMaxAge: true})
	f("a=1; Max-Age=-99999999999999999999", SetCookie{Name: "a", Value: "1", MaxAge: -MaxCookieLifetime, HasMaxAge: true})
	f("a=1; Expires=Fri, 02 Jan 2026 03:04:05 GMT", SetCookie{Name: "a", Value: "1", Expires: expires})
	f(`a=1; expires="Fri, 02-Jan-26 03:04:05 GMT"`, SetCookie{Name: "a", Value: "1", Expires: expires})
	f("a=1; Expires=Fri, 02 Jan 2026 03:04:05 GMT; Expires=0", SetCookie{Name: "a", Value: "1", Expires: expires})
	f("a=1; Expires="+strings.Repeat(" ", 2000)+"x; Domain="+strings.Repeat("d", 1025), SetCookie{Name: "a", Value: "1"})
	f("token", SetCookie{Value: "token"})
	f("token; Path=/", SetCookie{Value: "token", Path: "/"})
	f("a\t=\t1", SetCookie{Name: "a", Value: "1"})
	f("größe=naïve", SetCookie{Name: "größe", Value: "naïve"})

	for _, bad := range []string{"", ";", " = ; Path=/", "=", "a=\x00", "a=1; Path=/\n", "a\x7f=1"} {
		if got, ok := ParseSetCookie(bad); ok {
			t.Errorf("ParseSetCookie(%q) = %+v, want it ignored", bad, got)
		}
	}
}

func TestSetCookieExpiry(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	f := func(attributes string, deleted bool, at time.Time) {
		t.Helper()
		c, ok := ParseSetCookie("a=1; " + attributes)
		if !ok {
			t.Fatalf("%q is not a cookie", attributes)
		}
		if got := c.Deleted(now); got != deleted {
			t.Errorf("%q: deleted = %v, want %v", attributes, got, deleted)
		}
		if got := c.ExpiresAt(now); !got.Equal(at) || got.IsZero() != at.IsZero() {
			t.Errorf("%q: expires at %v, want %v", attributes, got, at)
		}
	}
	past := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	f("HttpOnly", false, time.Time{})
	f("Max-Age=60", false, now.Add(time.Minute))
	f("Max-Age=0", true, now)
	f("Max-Age=-5", true, now)
	f("Max-Age=99999999999", false, now.Add(MaxCookieLifetime))
	f("Expires=Thu, 01 Jan 1970 00:00:00 GMT", true, past)
	f("Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=60", false, now.Add(time.Minute))
	f("Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", true, now)
	f("Expires=Fri, 31 Dec 9999 23:59:59 GMT", false, now.Add(MaxCookieLifetime))
	f("Expires=Mon, 01 Jun 2026 12:00:00 GMT", true, now)
	f("Expires=Mon, 01 Jun 2026 12:00:01 GMT", false, now.Add(time.Second))
	f("Expires=0", false, time.Time{})
	f("Expires=-1; Max-Age=soon", false, time.Time{})
}

func TestResponseCookies(t *testing.T) {
	header := []seshat.Field{
		{Name: "set-cookie", Value: "a=1"},
		{Name: "Set-Cookie", Value: ""},
		{Name: "Cookie", Value: "no=1"},
		{Name: "SET-COOKIE", Value: "a=; Max-Age=0"},
	}
	c := ResponseCookies(header)
	first, _ := c.Next()
	second, ok := c.Next()
	if first.Value != "1" || !ok || !second.HasMaxAge {
		t.Errorf("got %+v and %+v", first, second)
	}
	if _, ok := c.Next(); ok {
		t.Error("a third cookie")
	}
}

func TestParseCookieDate(t *testing.T) {
	want := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT",    // RFC 9110
		"Sunday, 06-Nov-94 08:49:37 GMT",   // RFC 850
		"Sun Nov  6 08:49:37 1994",         // asctime
		"06 Nov 1994 08:49:37",             // without a zone
		"Sun, 06 Nov 1994 08:49:37 +0200",  // zones mean nothing
		"8:49:37 November 6 94",            // any order
		"\t06.nOVember.1994 (08:49:37x) 7", // any punctuation
		"Nov 1994 06 08:49:37",
	} {
		if got, ok := parseCookieDate(s); !ok || !got.Equal(want) {
			t.Errorf("parseCookieDate(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	f := func(s string, year int) {
		t.Helper()
		if got, ok := parseCookieDate(s); !ok || got.Year() != year {
			t.Errorf("parseCookieDate(%q) = %v, %v, want year %d", s, got, ok, year)
		}
	}
	f("06 Nov 69 00:00:00", 2069)
	f("06 Nov 70 00:00:00", 1970)
	f("06 Nov 1601 00:00:00", 1601)
	f("29 Feb 2024 00:00:00", 2024)
	for _, bad := range []string{
		"", "0", "-1", "session", "06 Nov 1994", "Sun, 06 Nov 08:49:37", "Nov 1994 08:49:37", "06 1994 08:49:37",
		"06 Nov 1600 08:49:37", "06 Nov 1994 24:00:00", "06 Nov 1994 08:60:00", "06 Nov 1994 08:49:60",
		"30 Feb 2024 00:00:00", "00 Nov 1994 08:49:37", "32 Nov 1994 08:49:37", "06 Nov 19944 08:49:37",
		"06 Nov 1994 008:49:37", "06 Nov 1994 08:49:370", "1735689600",
	} {
		if got, ok := parseCookieDate(bad); ok {
			t.Errorf("parseCookieDate(%q) = %v, want no date", bad, got)
		}
	}
}

// FuzzParseSetCookie compares with net/http where both accept the field. net/http refuses names that are not tokens
// and values outside RFC 6265's set, knows two date formats, takes a Max-Age with a leading zero for none, and keeps
// the dot before a domain.
func FuzzParseSetCookie(f *testing.F) {
	for _, seed := range []string{
		"a=1", `a="1"; Max-Age=60; Path=/; Domain=.example.org`, "a=; Max-Age=0", "token",
		"a=1; Expires=Fri, 02 Jan 2026 03:04:05 GMT", "a=1;;;=;expires=x", "a=1; max-age=-99999999999999999999",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, field string) {
		got, ok := ParseSetCookie(field)
		if ok && got.Name == "" && got.Value == "" && !strings.Contains(field, `""`) {
			t.Fatalf("%q gave nothing", field)
		}
		if at := got.ExpiresAt(now); at.After(now.Add(MaxCookieLifetime)) {
			t.Fatalf("%q expires at %v", field, at)
		}
		if got.Deleted(now) && got.ExpiresAt(now).After(now) {
			t.Fatalf("%q is deleted and expires at %v", field, got.ExpiresAt(now))
		}
		want, err := http.ParseSetCookie(field)
		if err != nil || !ok {
			return
		}
		if got.Name != want.Name || got.Value != want.Value && (want.Quoted || got.Value != strings.Trim(want.Value, " \t")) {
			t.Fatalf("ParseSetCookie(%q)\n got %+v\nwant %+v", field, got, want)
		}
		if strings.Count(strings.ToLower(field), "max-age") == 1 && (want.MaxAge > 0) != (got.MaxAge > 0) && want.MaxAge != 0 {
			t.Fatalf("ParseSetCookie(%q): Max-Age %v, net/http %v", field, got.MaxAge, want.MaxAge)
		}
		if !want.Expires.IsZero() && strings.Count(strings.ToLower(field), "expires") == 1 && want.Expires.Location() == time.UTC &&
			strings.HasSuffix(strings.TrimSpace(want.RawExpires), "GMT") && !got.Expires.Equal(want.Expires) && want.Expires.Year() > 1999 {
			t.Fatalf("ParseSetCookie(%q): Expires %v, net/http %v", field, got.Expires, want.Expires)
		}
	})
}
