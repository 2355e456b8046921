package main

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/node"
)

// startAccounts opens who may use the console and the API, and the log of what they do.
func (s *service) startAccounts(ctx context.Context) error {
	kept, err := s.node.OpenBucket(ctx, node.AuditBucket, 1)
	if err != nil {
		return err
	}
	log, err := audit.Open(ctx, kept, audit.Options{Now: s.app.now, Logger: s.logger("audit")})
	if err != nil {
		return err
	}
	s.audit = log
	s.onStop(func(context.Context) error { log.Close(); return nil })
	accounts, err := s.node.OpenBucket(ctx, node.AccountsBucket, 1)
	if err != nil {
		return err
	}
	signIn := &s.config.API.SignIn
	keeper, err := account.Open(ctx, accounts, account.Options{
		Audit: log, Idle: time.Duration(*signIn.Idle), Absolute: time.Duration(*signIn.Lifetime), Now: s.app.now, Logger: s.logger("accounts"),
	})
	if err != nil {
		return err
	}
	s.accounts = keeper
	s.onStop(func(context.Context) error { keeper.Close(); return nil })
	return nil
}

// signInPath is the page of the console that uses one-time links. It shows a button, so that nothing that only looks at a
// link uses it up.
const signInPath = "/sign-in?code="

// noteFirst says how the first administrator signs in, while there is no user.
func (s *service) noteFirst(ctx context.Context) error {
	if s.accounts.HasUsers() {
		return nil
	}
	if s.app.told != nil { // these lines are collected, and read by others
		s.app.note("Nobody can sign in to the console yet. Make a one-time link with: %s", s.app.typed("user link"))
		return nil
	}
	link, err := s.accounts.NewLink(ctx, account.LinkFirst, "", "seshat run")
	if err != nil {
		return err
	}
	s.app.note("")
	s.app.note("Nobody can sign in to the console yet. Become its administrator within a day, once, at")
	s.app.note("  %s%s%s", s.api, signInPath, link.Code)
	s.app.note("")
	return nil
}

// behindProxy gives requests the address of the client that the proxy in front says they come from: the last one of
// X-Forwarded-For, which is the proxy's own word. Without that all sign-ins would come from one address.
func behindProxy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if lines := r.Header.Values("X-Forwarded-For"); len(lines) > 0 {
			all := lines[len(lines)-1]
			last := strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
			if ip, err := netip.ParseAddr(strings.Trim(last, "[]")); err == nil {
				r.RemoteAddr = net.JoinHostPort(ip.Unmap().String(), "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}
