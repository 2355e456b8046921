package token_test

import (
	"testing"

	"github.com/seshat-project/seshat/internal/jsonpath"
	"github.com/seshat-project/seshat/internal/token"
)

func BenchmarkClaims(b *testing.B) {
	tok, buffer := typicalToken(), make([]byte, 0, 4096)
	b.SetBytes(int64(len(tok)))
	b.ReportAllocs()
	for b.Loop() {
		if claims, _, ok := token.Claims(buffer, tok); !ok || claims.SessionID == "" {
			b.Fatal("no claims")
		}
	}
}

func BenchmarkClaim(b *testing.B) {
	tok, buffer := typicalToken(), make([]byte, 0, 4096)
	for _, name := range []string{"sub", "sid"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(tok)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, ok := token.Claim(buffer, tok, name); !ok {
					b.Fatal("no claim")
				}
			}
		})
	}
}

func BenchmarkClaimPath(b *testing.B) {
	tok, buffer := typicalToken(), make([]byte, 0, 4096)
	path, err := jsonpath.Parse("$.realm_access.roles[0]")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := token.ClaimPath(buffer, tok, path); !ok {
			b.Fatal("no claim")
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	tok := typicalToken()
	b.SetBytes(int64(len(tok)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, ok := token.Split(tok); !ok {
			b.Fatal("not a token")
		}
	}
}
