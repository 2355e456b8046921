package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// pages reads a list page by page and returns the names of its elements.
func pages[T any](s *service, path string, name func(T) string) []string {
	s.t.Helper()
	var out []string
	next := ""
	for n := 0; ; n++ {
		page := decode[wire.Page[T]](s.get(path + next).is(200))
		for _, one := range page.Items {
			out = append(out, name(one))
		}
		if page.NextCursor == "" {
			return out
		}
		if n > 200 {
			s.t.Fatalf("%s: the pages do not end", path)
		}
		next = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
}

// lines reads all of a list at once.
func lines[T any](s *service, path string, name func(T) string) []string {
	s.t.Helper()
	a := s.get(path, "Accept: application/x-ndjson").is(200)
	if got := a.header.Get("Content-Type"); got != wire.NDJSON {
		s.t.Errorf("%s: content type %q", path, got)
	}
	var out []string
	for scanner := bufio.NewScanner(strings.NewReader(a.body)); scanner.Scan(); {
		var one T
		if err := json.Unmarshal(scanner.Bytes(), &one); err != nil {
			s.t.Fatalf("%s: %v in %s", path, err, scanner.Text())
		}
		out = append(out, name(one))
	}
	return out
}

// TestPages: page by page, in every order and size, a list is what it is at once.
func TestPages(t *testing.T) {
	s := serve(t, options(t, 25))
	session := func(one wire.Session) string { return one.ID.String() }
	exchange := func(one wire.Exchange) string { return one.Key }
	for _, order := range []string{"newest", "oldest"} {
		for _, sort := range append(wire.SessionOrders(), "") {
			path := "/api/v1/sessions?order=" + order
			if sort != "" {
				path += "&sort=" + sort
			}
			want := lines(s, path, session)
			if len(want) != 25 {
				t.Fatalf("%s: %d sessions", path, len(want))
			}
			for _, limit := range []int{1, 2, 7, 25, 30} {
				if got := pages(s, fmt.Sprintf("%s&limit=%d", path, limit), session); !slices.Equal(got, want) {
					t.Errorf("%s, pages of %d:\n%v\nwant\n%v", path, limit, got, want)
				}
			}
		}
		for _, path := range []string{"/api/v1/exchanges?order=" + order, "/api/v1/sessions/" + sessionID(3).String() + "/exchanges?order=" + order} {
			want := lines(s, path, exchange)
			for _, limit := range []int{1, 3, 50} {
				if got := pages(s, fmt.Sprintf("%s&limit=%d", path, limit), exchange); !slices.Equal(got, want) {
					t.Errorf("%s, pages of %d:\n%v\nwant\n%v", path, limit, got, want)
				}
			}
		}
	}
	if got := lines(s, "/api/v1/sessions?sort=user&limit=3", session); len(got) != 3 {
		t.Errorf("3 sessions by user: %v", got)
	}
}

func TestSessions(t *testing.T) {
	s := serve(t, options(t, 6))
	page := decode[wire.Page[wire.Session]](s.get("/api/v1/sessions?filter=user:user1&limit=1").is(200))
	if len(page.Items) != 1 || page.Items[0].User != "user1" || page.NextCursor == "" {
		t.Errorf("user1: %+v", page)
	}
	id := page.Items[0].ID.String()
	s.get("/api/v1/sessions/"+id).is(200).has(`"user":"user1"`, id)
	s.get("/api/v1/sessions/"+id+"/lineage").is(200).has(`"evidence":"first"`, `"kind":"session"`)
	s.get("/api/v1/lookup/sessions?prefix=" + id[:6]).is(200).has(id)
	s.get("/api/v1/span").is(200).has(`"exchanges":12`)
	s.get("/api/v1/overview?since=all").is(200).has(`"sessions":6`, `"exchanges":12`, `{"name":"idle","count":6}`, `{"name":"user1","count":4}`)

	s.get("/api/v1/sessions/" + sessionID(99).String()).problem(404)
	if p := s.get("/api/v1/sessions/none").problem(400); !strings.Contains(p.Detail, "not a session ID") {
		t.Errorf("a bad ID: %+v", p)
	}
	if p := s.get("/api/v1/sessions?filter=" + url.QueryEscape("state:active usr:alice")).problem(400); p.Column != 14 || !strings.Contains(p.Hint, `"user"`) {
		t.Errorf("a bad filter: %+v", p)
	}
	s.get("/api/v1/sessions?cursor=x").problem(400)
	s.get("/api/v1/sessions?order=oldest&cursor=" + url.QueryEscape(page.NextCursor)).problem(400) // of another list
	s.get("/api/v1/sessions?since=yesterday").problem(400)
	s.get("/api/v1/sessions?limit=1001").problem(400)
	s.get("/api/v1/sessions?limit=-1").problem(422)
	s.get("/api/v1/sessions?order=sideways").problem(422)
	s.get("/api/v1/sessions?ordr=oldest").problem(422)
	s.get("/api/v1/sessions?filter=bad::", "Accept: application/x-ndjson").problem(400)
}

func TestExchanges(t *testing.T) {
	s := serve(t, options(t, 6))
	all := lines(s, "/api/v1/exchanges?filter=status:400&since=2026-01-02T10:00:00Z", func(x wire.Exchange) string { return x.ID })
	if want := []string{"x5-1", "x5-0", "x3-1", "x3-0", "x1-1", "x1-0"}; !slices.Equal(all, want) {
		t.Errorf("exchanges %v; want %v", all, want)
	}
	x := decode[wire.Exchange](s.get("/api/v1/exchanges/x3-1").is(200))
	if y := decode[wire.Exchange](s.get("/api/v1/exchanges/" + x.Key).is(200)); y.ID != "x3-1" {
		t.Errorf("by its key: %+v", y)
	}
	if x.Endpoint != "GET shop.example/orders/{var1}" || x.ClientSessionIDs[0].Masked != "abcd…0003" || x.DurationMS != 1.5 || x.Verdict.Action != "tag" {
		t.Errorf("exchange %+v", x)
	}
	s.get("/api/v1/lookup/exchange?id=x3-1").is(200).has(x.Key)
	s.get("/api/v1/exchanges/none").problem(404)
	if p := s.get("/api/v1/lookup/exchange?id=" + url.QueryEscape("a//b ../c")).problem(404); !strings.Contains(p.Op, "a//b ../c") {
		t.Errorf("an odd ID: %+v", p)
	}
}
