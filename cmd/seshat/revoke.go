package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/denylist"
	"github.com/seshat-project/seshat/internal/revoked"
	"github.com/seshat-project/seshat/internal/terminal"
)

const revokeHelp = `Revoke refuses requests of a session, of a user, with a client session ID, or of everything that was issued before a
time: in every gateway, within a second, and after restarts. A session that is revoked stays so when its client session
IDs are refreshed: those that it gains later are refused too.

SESSION is a session ID or its beginning, the ID or key of one of the session's exchanges, or a client session ID as it is
shown (masked). A client session ID itself is a secret and is read from standard input, one on each line; only its keyed
digest is kept.

Times of --issued-before count to the second: what was issued within that second is refused too.

What is refused is on the denylist; seshat denylist shows it, and seshat denylist remove takes it back.`

type revokeOptions struct {
	user            string
	clientSessionID string
	issuedBefore    string
	issuer          string
	duration        string
	status          int
	reason          string
}

// subjects adds the flags that say what is refused.
func (o *revokeOptions) subjects(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.user, "user", "", "refuse everything of this `user`; with --issued-before what they had before")
	flags.StringVar(&o.clientSessionID, "client-session-id", "", "`-` to read client session IDs from standard input, one on each line")
	flags.StringVar(&o.issuedBefore, "issued-before", "", "refuse tokens that were issued, and sessions that started, before a `time`")
	flags.StringVar(&o.issuer, "issuer", "", "with --issued-before: only tokens of this `issuer` (iss)")
	flags.StringVar(&o.duration, "for", "", "how `long`, as in 30m or 7d (default for good)")
	flags.IntVar(&o.status, "status", http.StatusUnauthorized, "what is answered: `401`, which asks to sign in again, or 403")
	completeFlag(cmd, "status", "401", "403")
	flags.StringVar(&o.reason, "reason", "", "`text` for those who look at the list")
}

func (a *app) revokeCommand() *cobra.Command {
	var o revokeOptions
	cmd := &cobra.Command{
		Use:   "revoke SESSION... | --user NAME | --client-session-id - | --issued-before TIME",
		Short: "Refuse a session, a user or a client session ID from now on",
		Long:  revokeHelp,
		Example: `  seshat revoke 3f1c2a9e --reason "stolen laptop"
  seshat revoke --user alice --for 1h
  seshat revoke --issued-before now --user alice --status 401
  pbpaste | seshat revoke --client-session-id -`,
		ValidArgsFunction: a.completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.revoke(cmd.Context(), args, &o)
		},
	}
	o.subjects(cmd)
	return cmd
}

func (a *app) revoke(ctx context.Context, sessions []string, o *revokeOptions) error {
	r, err := a.revocation(ctx, sessions, o)
	if err != nil {
		return err
	}
	denials, err := a.deny(ctx, r, "")
	if err != nil {
		return err
	}
	return a.printDenied(ctx, denials)
}

// printDenied says what is refused now.
func (a *app) printDenied(ctx context.Context, denials []seshat.Denial) error {
	for i := range denials {
		if _, err := fmt.Fprintf(a.stdout, "%s denied%s\n", denials[i].Name, until(&denials[i])); err != nil {
			return err
		}
	}
	c, err := a.running(ctx, 0)
	switch {
	case err == nil && c == nil:
		a.note("No instance is running: this takes effect when one runs on this data directory (seshat run).")
	case c != nil:
		return c.Close()
	}
	return nil
}

func until(d *seshat.Denial) string {
	if d.Until.IsZero() {
		return ""
	}
	return " until " + terminal.Time(d.Until)
}

// revocation is what the command line asks for.
func (a *app) revocation(ctx context.Context, sessions []string, o *revokeOptions) (*wire.Revocation, error) {
	r := &wire.Revocation{User: o.user, Issuer: o.issuer, Status: o.status, Reason: o.reason}
	if len(sessions) == 0 && o.user == "" && o.clientSessionID == "" && o.issuedBefore == "" {
		return nil, usageError("", "it is not said what to refuse", "a session, --user, --client-session-id - or --issued-before")
	}
	if o.status != http.StatusUnauthorized && o.status != http.StatusForbidden {
		return nil, usageError("--status", "it is neither 401 nor 403", "401 asks to sign in again, 403 does not")
	}
	if o.issuer != "" && (o.issuedBefore == "" || o.user != "") {
		return nil, usageError("--issuer", "an issuer goes together with --issued-before, and without --user", "")
	}
	if o.duration != "" {
		d, err := seshat.ParseDuration(o.duration)
		if err != nil || d == 0 {
			return nil, usageError("--for", `"`+o.duration+`" is no length of time`, "for example 30m or 7d")
		}
		r.For = &d
	}
	if o.issuedBefore != "" {
		at, err := parseBound("--issued-before", o.issuedBefore, a.now(), false)
		if err != nil {
			return nil, err
		}
		if at.IsZero() {
			return nil, usageError("--issued-before", `"`+o.issuedBefore+`" is no time`, "for example now, 24h or 2026-01-02T15:04:05Z")
		}
		r.IssuedBefore = at
	}
	if o.clientSessionID != "" {
		if o.clientSessionID != "-" {
			return nil, usageError("--client-session-id", "secrets do not belong on a command line, where others can see them",
				"give - and the ID on standard input")
		}
		var err error
		if r.ClientSessionIDs, err = a.readSecrets(ctx); err != nil {
			return nil, err
		}
	}
	if len(sessions) == 0 {
		return r, nil
	}
	s, err := a.openForReading(ctx)
	if err != nil {
		return nil, err
	}
	defer a.closeRead(s)
	for _, text := range sessions {
		id, err := a.findSession(ctx, s, text)
		if err != nil {
			return nil, err
		}
		one, err := s.Session(ctx, id)
		if err != nil {
			return nil, err
		}
		r.SessionIDs = append(r.SessionIDs, one.ID.String())
	}
	return r, nil
}

// maxSecrets is how many client session IDs are read at once: as many as one request takes.
const maxSecrets = 100

// readSecrets reads client session IDs from standard input, one on each line.
func (a *app) readSecrets(ctx context.Context) ([]string, error) {
	const op = "read the client session IDs on standard input"
	in := bufio.NewReaderSize(interruptible(ctx, a.stdin), 64<<10)
	var out []string
	for {
		line, err := in.ReadString('\n')
		if secret := strings.TrimSpace(line); secret != "" {
			out = append(out, secret)
		}
		switch {
		case len(out) > maxSecrets:
			return nil, &seshat.Error{
				Kind: seshat.ErrorInvalid, Op: op, Err: fmt.Errorf("there are more than %d", maxSecrets), Hint: "revoke their sessions, or their user",
			}
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("there is none"), Hint: "one on each line and nothing else"}
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: err}
		}
	}
}

// tellDenials adds to a story who revoked the session, when and why, and who took that back.
func (a *app) tellDenials(ctx context.Context, story *terminal.Story) error {
	id, user := story.Session.ID, story.Session.User
	return a.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		one, err := c.SessionWithDenials(ctx, id)
		if err == nil {
			story.Denials, story.PastDenials = one.Denials, one.PastDenials
		}
		return err
	}, func() error {
		if !a.hasDenylist() {
			return nil
		}
		return a.withLocalDenylist(ctx, func(k *denylist.Keeper) error {
			denials, err := k.List(ctx)
			if err != nil && len(denials) == 0 {
				return err
			}
			story.Denials = revoked.NewReader(nil, denials, a.now()).Denials(story.Session)
			story.PastDenials, err = k.Past(ctx, id, user)
			return err
		})
	})
}
