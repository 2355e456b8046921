package limits

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/consoletest"
)

func duration(t *rapid.T, name string) seshat.Duration {
	return seshat.Duration(rapid.Int64Range(0, int64(10*24*time.Hour/time.Millisecond)).Draw(t, name)) * seshat.Duration(time.Millisecond)
}

func TestLimitRoundTrip(t *testing.T) {
	consoletest.RoundTrip(t, limitPages(), func(t *rapid.T) seshat.Spec {
		s := &seshat.LimitSpec{
			Enabled: consoletest.Flag(t, "enabled"), Scope: consoletest.Scope(t), Endpoints: consoletest.Texts(t, "endpoints"),
			Conditions: consoletest.Conditions(t), Count: rapid.IntRange(0, 100_000_000).Draw(t, "count"), Window: duration(t, "window"),
			Action: rapid.SampledFrom([]string{"", "tag", "limit", "block"}).Draw(t, "action"),
		}
		for range rapid.IntRange(1, 4).Draw(t, "keys") {
			key := rapid.SampledFrom([]string{"session", "user", "clientSessionID", "ip", "parameter:", "claim:", "nonsense", "session:x"}).Draw(t, "key")
			if key == "parameter:" || key == "claim:" {
				key += consoletest.Text(t, "name")
			}
			s.Key = append(s.Key, key)
		}
		if rapid.Bool().Draw(t, "penalty") {
			d := duration(t, "for")
			s.For = &d
		}
		return s
	})
}

func TestValidationRoundTrip(t *testing.T) {
	consoletest.RoundTrip(t, validationPages(), func(t *rapid.T) seshat.Spec {
		s := &seshat.JWTValidationSpec{
			Enabled: consoletest.Flag(t, "enabled"), Scope: consoletest.Scope(t), Endpoints: consoletest.Texts(t, "endpoints"),
			Required: rapid.Bool().Draw(t, "required"),
			Issuers:  consoletest.Texts(t, "issuers"), Audiences: consoletest.Texts(t, "audiences"),
			Action: rapid.SampledFrom([]string{"", "tag", "block"}).Draw(t, "action"),
		}
		if text := consoletest.Text(t, "keys") + "x"; rapid.Bool().Draw(t, "published") {
			s.JWKSURL = text
		} else {
			s.JWKS = text
		}
		if rapid.Bool().Draw(t, "elsewhere") {
			e := consoletest.Extract(t, "header", "cookie", "query")
			s.Token = &e
		}
		switch rapid.IntRange(0, 2).Draw(t, "status") {
		case 0:
			status := 401
			s.Status = &status
		case 1:
			status := 403
			s.Status = &status
		}
		return s
	})
}
