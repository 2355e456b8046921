package caddymodule

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/caddyauth"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
)

func TestCaddyfile(t *testing.T) {
	f := func(text string, want Handler) {
		t.Helper()
		var got Handler
		if err := got.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	f("seshat", Handler{})
	f(`seshat {
		data /var/lib/seshat
		environment prod
		service shop
		resources a.yaml b.yaml
		resources c.yaml
		session_field X-Session
		user_field X-User
		verdict_field X-Verdict
		fail_closed
		nats nats://n1:4222
		nats_credentials c.creds
		nats_token_file t
	}`, Handler{
		Data: "/var/lib/seshat", Environment: "prod", Service: "shop", Resources: []string{"a.yaml", "b.yaml", "c.yaml"},
		SessionField: "X-Session", UserField: "X-User", VerdictField: "X-Verdict", FailClosed: true, NATS: "nats://n1:4222",
		NATSCredentials: "c.creds", NATSTokenFile: "t",
	})
}

func TestBadCaddyfile(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		var h Handler
		if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	f("seshat x", "wrong argument count")
	f("seshat {\n dta x\n}", `unknown setting "dta"`)
	f("seshat {\n data\n}", "wrong argument count")
	f("seshat {\n data a b\n}", "wrong argument count")
	f("seshat {\n data a\n data b\n}", "data is there twice")
	f("seshat {\n resources\n}", "wrong argument count")
	f("seshat {\n fail_closed yes\n}", "wrong argument count")
	if err := (&Handler{NATSTokenFile: "t"}).Validate(); err == nil {
		t.Error("a token for no servers is valid")
	}
}

// TestOrder checks where the directive runs: before what answers, and before what asks for a password.
func TestOrder(t *testing.T) {
	adapter := caddyconfig.GetAdapter("caddyfile")
	config, _, err := adapter.Adapt([]byte("http://shop.example {\n reverse_proxy 127.0.0.1:3000\n basic_auth {\n a b\n }\n seshat\n}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if name, ok := v["handler"].(string); ok && name != "subroute" {
				order = append(order, name)
			}
			for _, key := range []string{"apps", "http", "servers", "srv0", "routes", "handle"} {
				walk(v[key])
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		}
	}
	var parsed any
	if err := json.Unmarshal(config, &parsed); err != nil {
		t.Fatal(err)
	}
	walk(parsed)
	if got := strings.Join(order, " "); got != "seshat authentication reverse_proxy" {
		t.Errorf("the order is %s: %s", got, config)
	}
}

func TestStatusOfErrors(t *testing.T) {
	f := func(err error, want int) {
		t.Helper()
		if got := statusOf(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
	f(errors.New("x"), 500)
	f(fmt.Errorf("y: %w", caddyhttp.Error(502, errors.New("x"))), 502)
	f(caddyhttp.HandlerError{}, 500)
}
