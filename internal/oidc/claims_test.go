package oidc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func decode(t testing.TB, text string) claims {
	t.Helper()
	var c claims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNames(t *testing.T) {
	f := func(user, text, want string) {
		t.Helper()
		p := &Provider{o: Options{Claims: Claims{User: user, Display: "name"}, Roles: Roles{Default: "viewer"}}}
		got, err := p.person(decode(t, text))
		if want == "" {
			if err == nil {
				t.Errorf("%s with %q is %+v", text, user, got)
			}
			return
		}
		if err != nil || got.Name != want {
			t.Errorf("%s with %q: %+v, %v; want %s", text, user, got, err, want)
		}
	}
	f("", `{"sub":"1","email":"a@b","email_verified":true,"preferred_username":"ann"}`, "a@b")
	f("", `{"sub":"1","email":"a@b","email_verified":"true"}`, "a@b")
	f("", `{"sub":"1","email":"a@b","email_verified":false,"preferred_username":"ann"}`, "ann")
	f("", `{"sub":"1","email":"a@b","preferred_username":"ann"}`, "ann")
	f("", `{"sub":"1","email":"a@b","email_verified":1}`, "1")
	f("", `{"sub":"1","email":["a@b"],"email_verified":true}`, "1")
	f("", `{"email":"a@b"}`, "")
	f("upn", `{"sub":"1","upn":"ann@corp"}`, "ann@corp")
	f("upn", `{"sub":"1"}`, "") // nobody gets a name of another kind than those of the others
	f("email", `{"sub":"1","email":"a@b"}`, "")
	f("https://a.example/name", `{"https://a.example/name":"ann"}`, "ann")
	f("user.name", `{"user":{"name":"ann"}}`, "ann")
	f("user.name", `{"user.name":"ann","user":{"name":"eve"}}`, "ann")
	f("user.name", `{"user":"ann"}`, "")
	f("upn", `{"upn":" ann"}`, "")
	f("upn", `{"upn":"ann\u0007"}`, "")
	f("upn", `{"upn":"`+strings.Repeat("x", maxName+1)+`"}`, "")
}

func TestRoles(t *testing.T) {
	f := func(claim, text, want string) {
		t.Helper()
		p := &Provider{o: Options{Roles: Roles{Claim: claim, Roles: []Role{{"admin", []string{"a"}}, {"viewer", []string{"v", "w"}}}, Default: "none"}}}
		if got := p.role(decode(t, text)); got != want {
			t.Errorf("%s of %s: %q, want %q", claim, text, got, want)
		}
	}
	f("groups", `{"groups":["v","a"]}`, "admin")
	f("groups", `{"groups":["w"]}`, "viewer")
	f("groups", `{"groups":"a"}`, "admin")
	f("groups", `{"groups":["A"," a"]}`, "none")
	f("groups", `{"groups":[1,{"a":"a"},null,"v"]}`, "viewer")
	f("groups", `{"groups":{"a":true}}`, "none")
	f("groups", `{}`, "none")
	f("realm_access.roles", `{"realm_access":{"roles":["a"]}}`, "admin")
	f("", `{"":"a"}`, "none")
	f("email", `{"email":"a"}`, "none") // which nobody verified
	f("email", `{"email":"a","email_verified":true}`, "admin")
}

func TestSignedClaimsCount(t *testing.T) {
	c := decode(t, `{"email":"a@b"}`)
	c.add(decode(t, `{"email":"evil@b","name":"Ann"}`))
	if c["email"] != "a@b" || c["name"] != "Ann" {
		t.Error(c)
	}
}

func TestUsedStatesAreBounded(t *testing.T) {
	u, now := &usedStates{}, time.Unix(0, 0)
	for i := range 2 * maxUsed {
		if !u.use(fmt.Sprint(i), now.Add(AttemptTime), now) {
			t.Fatal("a state is said to be used")
		}
	}
	if len(u.ends) > maxUsed || len(u.order) > maxUsed {
		t.Errorf("%d states are remembered", len(u.ends))
	}
	last := fmt.Sprint(2*maxUsed - 1)
	if u.use(last, now.Add(AttemptTime), now) {
		t.Error("a state is used twice")
	}
	now = now.Add(AttemptTime + 1)
	if !u.use("later", now.Add(AttemptTime), now) || len(u.ends) != 1 || !slices.Equal(u.order, []string{"later"}) {
		t.Errorf("%d states are remembered that would be too old", len(u.ends))
	}
}
