package revoked_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/revoked"
)

func TestDenials(t *testing.T) {
	now := start.Add(1500 * time.Millisecond)
	f := func(r revoked.Request, want ...string) {
		t.Helper()
		r.By = "ann"
		list, err := r.Denials(now)
		if err != nil {
			if len(want) != 1 || !strings.Contains(err.Error(), want[0]) {
				t.Errorf("%+v: %v; want %q", r, err, want)
			}
			return
		}
		var got []string
		for _, d := range list {
			text := ""
			switch {
			case !d.Session.IsZero():
				text = fmt.Sprintf("session %d", d.Session[0])
			case !d.ClientSessionID.IsZero():
				text = fmt.Sprintf("id %d", d.ClientSessionID[0])
			default:
				text = "user " + d.User + " issuer " + d.Issuer
			}
			if !d.IssuedBefore.IsZero() {
				text += " before " + d.IssuedBefore.Format(time.TimeOnly+".000")
			}
			if !d.Until.IsZero() {
				text += " until " + d.Until.Format(time.TimeOnly)
			}
			got = append(got, fmt.Sprintf("%s %d", text, d.Status))
			if d.By != "ann" || !d.At.Equal(now) || d.Name != "" {
				t.Errorf("entry %+v", d)
			}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%+v: %q; want %q", r, got, want)
		}
	}
	f(revoked.Request{Sessions: []seshat.SessionID{id(1), id(2)}, User: "alice"}, "session 1 401", "session 2 401", "user alice issuer  401")
	f(revoked.Request{ClientSessionIDs: []seshat.Digest{{7}}, Status: 403, For: time.Hour}, "id 7 until 11:00:01 403")
	f(revoked.Request{IssuedBefore: now}, "user  issuer  before 10:00:02.000 401")
	f(revoked.Request{IssuedBefore: start, Issuer: "https://id.example"}, "user  issuer https://id.example before 10:00:00.000 401")
	f(revoked.Request{IssuedBefore: start, User: "bob"}, "user bob issuer  before 10:00:00.000 401")
	f(revoked.Request{}, "not said what")
	f(revoked.Request{User: "bob", Status: 418}, "neither 401 nor 403")
	f(revoked.Request{User: "bob", Issuer: "x"}, "goes together with a time")
	f(revoked.Request{IssuedBefore: start, User: "bob", Issuer: "x"}, "exclude each other")
	f(revoked.Request{User: "bob", For: -1}, "before it begins")
}
