package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/resource"
)

// withAccounts runs f with the API of the running instance, or, where there is none, with one of this process over what the
// data directory keeps: the same rules hold, and the same is written to the audit log.
func (a *app) withAccounts(ctx context.Context, f func(*client.Client) error) error {
	return a.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		return f(c)
	}, func() error { return a.withLocalAccounts(ctx, f) })
}

func (a *app) withLocalAccounts(ctx context.Context, f func(*client.Client) error) (err error) {
	if err := os.MkdirAll(a.data, 0o700); err != nil {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "make the data directory", Err: err, Hint: "choose one that you can write to with --data",
		}
	}
	s, err := a.openState(ctx)
	if err != nil {
		return err
	}
	defer closing(s, &err)
	resources, err := s.bucket(ctx, node.ResourceBucket)
	if err != nil {
		return err
	}
	events, err := s.bucketOf(ctx, node.AuditBucket, 1)
	if err != nil {
		return err
	}
	log, err := audit.Open(ctx, events, audit.Options{Now: a.now, Logger: a.logger()})
	if err != nil {
		return err
	}
	defer log.Close()
	accounts, err := s.bucketOf(ctx, node.AccountsBucket, 1)
	if err != nil {
		return err
	}
	keeper, err := account.Open(ctx, accounts, account.Options{Audit: log, Now: a.now, Logger: a.logger()})
	if err != nil {
		return err
	}
	defer keeper.Close()
	token := instance.NewToken()
	handler, err := api.New(api.Options{
		Registry: resource.NewRegistry(resources, compile), Authenticator: api.NewAuthenticator(token, keeper), Accounts: keeper, Audit: log,
		Logger: a.logger(), Now: a.now,
	})
	if err != nil {
		return err
	}
	return f(client.Within(handler, http.Header{"Authorization": {"Bearer " + token}, wire.AuthorHeader: {a.author().By}}))
}

// withInstance runs f with the running instance; there must be one.
func (a *app) withInstance(ctx context.Context, op string, f func(*client.Client) error) error {
	c, err := a.running(ctx, lockWait)
	if err != nil {
		return err
	}
	if c == nil {
		return &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: op, Err: errors.New("no instance runs in " + a.data),
			Hint: "start one with: seshat run, or name its directory with --data",
		}
	}
	defer func() { _ = c.Close() }()
	return f(c)
}

// maxPasswordInput is more than any password that is taken.
const maxPasswordInput = 4 << 10

// readPassword reads a password: from the terminal, where it is not shown and asked for twice, or from the first line of
// standard input. It is never in an argument, which everybody on the machine can see.
func (a *app) readPassword(ctx context.Context) (string, error) {
	const op = "read the password"
	file, ok := a.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(interruptible(ctx, a.stdin), maxPasswordInput)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: err}
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("there is none on standard input"), Hint: "write it there, on one line"}
		}
		return line, nil
	}
	first, err := a.askSecret(file, "Password: ")
	if err != nil {
		return "", err
	}
	again, err := a.askSecret(file, "Again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: errors.New("the two are not the same"), Hint: "try again"}
	}
	return first, nil
}

// askSecret reads a line from the terminal without showing it.
func (a *app) askSecret(file *os.File, prompt string) (string, error) {
	if _, err := io.WriteString(a.stderr, prompt); err != nil {
		return "", err
	}
	text, err := term.ReadPassword(int(file.Fd()))
	_, _ = io.WriteString(a.stderr, "\n")
	if err != nil {
		return "", &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read the password", Err: err}
	}
	return string(text), nil
}
