package account

import (
	"fmt"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/kv/memory"
)

func benchmarked(b *testing.B) (*Keeper, string, string) {
	b.Helper()
	store := memory.New(time.Now)
	log, err := audit.Open(b.Context(), store, audit.Options{})
	if err != nil {
		b.Fatal(err)
	}
	k, err := Open(b.Context(), store, Options{Audit: log, Cost: cheap})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		k.Close()
		log.Close()
		_ = store.Close()
	})
	var session, token string
	for i := range 200 {
		name := fmt.Sprint("user", i)
		if _, _, err := k.Create(b.Context(), NewUser{Name: name, Role: RoleAdmin, Password: good}, "b"); err != nil {
			b.Fatal(err)
		}
		in, err := k.SignIn(b.Context(), name, good, "", Client{Address: fmt.Sprint("192.0.2.", i)})
		if err != nil {
			b.Fatal(err)
		}
		session = in.Token
		if _, token, err = k.CreateToken(b.Context(), NewToken{Name: "t", User: name, Scopes: []string{"sessions:read"}}); err != nil {
			b.Fatal(err)
		}
	}
	return k, session, token
}

func BenchmarkAuthenticateSession(b *testing.B) {
	k, session, _ := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Authenticate(session, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticateToken(b *testing.B) {
	k, _, token := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.AuthenticateToken(token, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassword(b *testing.B) {
	h := newHasher(DefaultCost())
	kept, err := h.hash(b.Context(), good)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for _, password := range []struct{ name, kept string }{{"known", kept}, {"nobody", ""}} {
		b.Run(password.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := h.verify(b.Context(), password.kept, "wrong"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
