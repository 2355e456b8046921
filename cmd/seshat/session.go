package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const sessionHelp = `Session tells the story of one session: who it belongs to and how sure that is, every exchange in order with its
time since the start, what changed on the way (sign-in, new tokens, another address or device), its client session IDs
with the evidence that links them, and why all this is one session.

ID is a session ID or its beginning, the ID or key of one of the session's exchanges, or a client session ID as it is
shown (masked). With - a client session ID is read from standard input as it is: secrets do not belong on a command
line, where others can see them.`

type sessionOptions struct {
	format string
	limit  int
}

func (a *app) sessionCommand() *cobra.Command {
	var o sessionOptions
	cmd := &cobra.Command{
		Use:   "session ID",
		Short: "Tell the story of a session",
		Long:  sessionHelp,
		Example: `  seshat session 3f1c2a9e
  seshat session 3f1c2a9e-7b41-8c55-9d0e-5a6b7c8d9e0f --format json
  pbpaste | seshat session -`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.session(cmd.Context(), args[0], &o)
		},
	}
	formatFlag(cmd, &o.format, "text", "json")
	cmd.Flags().IntVar(&o.limit, "limit", 200, "how many exchanges of the timeline at most, half from each end; 0 is no limit")
	return cmd
}

func (a *app) session(ctx context.Context, id string, o *sessionOptions) (err error) {
	if err := checkFormat(o.format, "text", "json"); err != nil {
		return err
	}
	if err := checkLimit(o.limit); err != nil {
		return err
	}
	s, err := a.openForReading(ctx)
	if err != nil {
		return err
	}
	defer a.closeRead(s)
	sessionID, err := a.findSession(ctx, s, id)
	if err != nil {
		return err
	}
	story, err := a.story(ctx, s, sessionID, o.limit)
	if err != nil {
		return err
	}
	if err := a.tellDenials(ctx, story); err != nil {
		return err
	}
	if o.format == "text" {
		return a.screen().Story(story)
	}
	story.Session = completeSession(story.Session)
	return a.writeJSON(story)
}

// story reads a session with its lineage and at most limit exchanges.
func (a *app) story(ctx context.Context, s store.Reader, id seshat.SessionID, limit int) (*terminal.Story, error) {
	session, err := s.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	lineage, err := s.Lineage(ctx, session.ID)
	if err != nil {
		return nil, err
	}
	story := terminal.NewStory(session, lineage)
	q := store.Query{Session: session.ID, Now: a.now(), OldestFirst: true}
	if limit == 0 || session.Exchanges <= int64(limit) {
		err := s.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
			story.Add(x)
			return true
		})
		story.Finish()
		return story, err
	}
	q.Limit = (limit + 1) / 2
	err = s.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
		story.Add(x)
		return true
	})
	if err != nil {
		return nil, err
	}
	var last []seshat.Assigned
	if q.Limit, q.OldestFirst = limit/2, false; q.Limit > 0 {
		err = s.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
			observation := *x.Observation
			last = append(last, seshat.Assigned{Observation: &observation, Session: x.Session})
			return true
		})
	}
	story.Skip(session.Exchanges - int64(limit))
	for i := range slices.Backward(last) {
		story.Add(&last[i])
	}
	story.Finish()
	return story, err
}

// mostCandidates is how many sessions are named when an ID fits several.
const mostCandidates = 4

// findSession finds the session that text means.
func (a *app) findSession(ctx context.Context, s store.Reader, text string) (seshat.SessionID, error) {
	switch text {
	case "-":
		return a.findSecret(ctx, s)
	case "":
		return oneOf(text, nil)
	}
	if id, err := seshat.ParseSessionID(text); err == nil {
		return id, nil
	}
	if isPrefix(text) {
		ids, err := s.FindSessions(ctx, strings.ToLower(text), mostCandidates+1)
		if err != nil {
			return seshat.SessionID{}, err
		}
		if len(ids) > 0 {
			return oneOf(text, ids)
		}
	}
	x, err := s.Exchange(ctx, text)
	switch {
	case err == nil:
		return x.Session, nil
	case seshat.KindOfError(err) != seshat.ErrorNotFound:
		return seshat.SessionID{}, err
	}
	sessions, err := a.byMasked(ctx, s, text)
	if err != nil {
		return seshat.SessionID{}, err
	}
	return oneOf(text, sessions)
}

// isPrefix reports whether text may be the beginning of a session ID.
func isPrefix(text string) bool {
	return text != "" && len(text) < 36 && strings.Trim(strings.ToLower(text), "0123456789abcdef-") == ""
}

// oneOf returns the only one of ids, or an error that says which there are.
func oneOf(text string, ids []seshat.SessionID) (seshat.SessionID, error) {
	op := "find session " + text
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) == 0:
		return seshat.SessionID{}, &seshat.Error{
			Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("there is none"), Hint: "seshat sessions --since all lists them",
		}
	}
	var names []string
	for _, id := range ids[:min(len(ids), mostCandidates)] {
		names = append(names, id.String())
	}
	if len(ids) > mostCandidates {
		names = append(names, "…")
	}
	return seshat.SessionID{}, &seshat.Error{
		Kind: seshat.ErrorInvalid, Op: op,
		Err: fmt.Errorf("it can be any of %s", strings.Join(names, ", ")), Hint: "give more of the ID",
	}
}

// byMasked finds the sessions that have a client session ID with the masked form, newest first.
func (a *app) byMasked(ctx context.Context, s store.Reader, masked string) ([]seshat.SessionID, error) {
	field := filter.Sessions().Lookup("client_session_id")
	expr := &filter.Term{Field: field, Tests: []filter.Test{{Op: filter.OpEqual, Value: filter.Value{Text: masked}}}}
	var ids []seshat.SessionID
	err := s.Sessions(ctx, store.Query{Filter: expr, Now: a.now()}, func(session *seshat.Session) bool {
		ids = append(ids, session.ID)
		return len(ids) < 100*mostCandidates // a masked form of few characters may fit many
	})
	return ids, err
}

// findSecret finds the session of a client session ID that is read from standard input.
func (a *app) findSecret(ctx context.Context, s store.Reader) (seshat.SessionID, error) {
	const op = "find the session of the client session ID on standard input"
	in := bufio.NewReaderSize(a.stdin, 64<<10)
	line, err := in.ReadString('\n')
	secret := strings.TrimSpace(line)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return seshat.SessionID{}, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: err}
	case secret == "":
		return seshat.SessionID{}, &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("there is none"), Hint: "one line with the ID and nothing else",
		}
	}
	ring, err := protect.LoadKey(a.path(keyFile))
	if err != nil {
		return seshat.SessionID{}, err
	}
	digests := ring.Digests([]byte(secret))
	for _, masked := range []string{protect.Mask(secret), secret} { // the clear form is kept where a rule asks for it
		candidates, err := a.byMasked(ctx, s, masked)
		if err != nil {
			return seshat.SessionID{}, err
		}
		for _, id := range candidates {
			lineage, err := s.Lineage(ctx, id)
			if err != nil {
				return seshat.SessionID{}, err
			}
			if slices.ContainsFunc(lineage, func(l seshat.Link) bool { return slices.Contains(digests, l.To) }) {
				return id, nil
			}
		}
	}
	return seshat.SessionID{}, &seshat.Error{
		Kind: seshat.ErrorNotFound, Op: op, Err: errors.New("no session has it"),
		Hint: "give the value alone, without its name and without a scheme such as Bearer",
	}
}
