package jwt

import (
	"strings"
	"testing"
)

// BenchmarkVerify verifies a token of the size that identity providers make, by each algorithm.
func BenchmarkVerify(b *testing.B) {
	payload := strings.TrimSuffix(goodPayload, "}") + `,"scope":"openid profile email","realm_access":{"roles":["user","offline_access"]},"pad":"` + strings.Repeat("x", 500) + `"}`
	policy := Policy{Issuers: []string{"https://id.example"}, Audiences: []string{"shop"}}
	for _, s := range signers() {
		b.Run(s.by.String(), func(b *testing.B) {
			tok := s.token(`{"alg":"`+s.by.String()+`","typ":"JWT","kid":"k"}`, payload)
			keys := keySet(b, s.key(b, "k"))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := policy.Verify(tok, keys, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse is what tokens cost that are no good: what a flood of them can spend.
func BenchmarkRefuse(b *testing.B) {
	s := signer{edKey(), EdDSA}
	keys := keySet(b, s.key(b, "k"))
	for name, tok := range map[string]string{
		"opaque":       strings.Repeat("a", 40),
		"unknown-kid":  s.token(`{"alg":"EdDSA","kid":"x"}`, goodPayload),
		"none":         s.token(`{"alg":"none"}`, goodPayload),
		"longest":      s.token(`{"alg":"EdDSA","kid":"x","pad":"`+strings.Repeat("x", 11000)+`"}`, goodPayload),
		"bad-base64":   s.token(`{"alg":"EdDSA","kid":"k"}`, goodPayload) + "=",
		"deep-payload": s.jwt(strings.Repeat(`[`, 5000)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := (&Policy{}).Verify(tok, keys, now); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
}
