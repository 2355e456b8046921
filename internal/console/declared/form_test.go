package declared

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/consoletest"
)

func TestParameterRoundTrip(t *testing.T) {
	consoletest.RoundTrip(t, parameterPages(), func(t *rapid.T) seshat.Spec {
		return &seshat.ContextParameterSpec{
			Enabled: consoletest.Flag(t, "enabled"), Scope: consoletest.Scope(t), In: rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "side"),
			Conditions:      consoletest.Conditions(t),
			Extract:         consoletest.Extract(t, "header", "cookie", "query", "pathSegment", "pathParameter", "body", "clientIP", "userAgent", "ja4"),
			Transformations: consoletest.Transformations(t), Type: rapid.SampledFrom([]string{"", "plain", "user", "role"}).Draw(t, "type"),
			Hash: rapid.Bool().Draw(t, "hash"),
		}
	})
}

func TestFlowRoundTrip(t *testing.T) {
	consoletest.RoundTrip(t, flowPages(), func(t *rapid.T) seshat.Spec {
		return &seshat.FlowSpec{
			Enabled: consoletest.Flag(t, "enabled"), Type: rapid.SampledFrom([]string{"billing", "authentication", "refunds"}).Draw(t, "type"),
			Scope: consoletest.Scope(t), Endpoints: consoletest.Texts(t, "endpoints"), Conditions: consoletest.Conditions(t),
		}
	})
}

func TestMaskRoundTrip(t *testing.T) {
	consoletest.RoundTrip(t, maskPages(), func(t *rapid.T) seshat.Spec {
		e := consoletest.Extract(t, "header", "cookie", "query", "pathParameter", "body")
		return &seshat.MaskRuleSpec{
			Enabled: consoletest.Flag(t, "enabled"), Scope: consoletest.Scope(t), In: rapid.SampledFrom([]string{"", "request", "response"}).Draw(t, "side"),
			Location: e.Location, Key: e.Key, JSONPath: e.JSONPath,
		}
	})
}
