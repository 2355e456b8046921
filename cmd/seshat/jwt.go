package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/jwks"
	"github.com/seshat-project/seshat/internal/jwks/remote"
	"github.com/seshat-project/seshat/internal/jwt"
)

func (a *app) jwtCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "jwt",
		Short:   "Verify JSON Web Tokens",
		Long:    `Jwt is about JSON Web Tokens (RFC 7519). It needs no data directory.`,
		Example: "  seshat jwt verify --help",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.jwtVerifyCommand())
	return cmd
}

// jwtVerify are the flags of jwt verify.
type jwtVerify struct {
	keys          string
	policy        jwt.Policy
	at            string
	signatureOnly bool
}

func (a *app) jwtVerifyCommand() *cobra.Command {
	var o jwtVerify
	cmd := &cobra.Command{
		Use:   "verify --jwks FILE|URL TOKEN|-",
		Short: "Verify a token and print its claims",
		Long: `Verify checks a signed token with the public keys of its issuer, and prints its claims as JSON. When it is not valid the
exit code is 1, and standard error says why: "not valid (KIND): reason".

The keys are a JSON Web Key Set, a single key, or public keys and certificates in PEM, in a file or at an address (https;
http for this host only). Algorithms are RS, PS and ES with 256, 384 and 512, and EdDSA with Ed25519; each key is for its
own only. Times may be off by a minute. Without --issuer and --audience every issuer and audience is accepted: give both
to check what a service has to check.

A token on the command line is seen by other users of the host (ps) and kept by the shell. Give - and send it to standard
input instead.`,
		Example: `  seshat jwt verify --jwks https://id.example/jwks.json --issuer https://id.example --audience shop - < token.txt
  seshat jwt verify --jwks keys.json --at 2026-01-02T15:04:05Z - < token.txt
  seshat jwt verify --jwks public.pem --signature-only - < token.txt | jq .sub`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"-"}, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.signatureOnly {
				for _, flag := range []string{"at", "issuer", "audience", "type"} {
					if cmd.Flags().Changed(flag) {
						return usageError("--"+flag, "with --signature-only nothing but the signature is checked", "leave one of them out")
					}
				}
			}
			return a.verifyJWT(cmd.Context(), &o, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.keys, "jwks", "", "`file` or address of the keys; - is standard input")
	flags.StringArrayVar(&o.policy.Issuers, "issuer", nil, "`issuer` (iss) that is accepted; may be given again")
	flags.StringArrayVar(&o.policy.Audiences, "audience", nil, "`audience` of which the token (aud) has to name one; may be given again")
	flags.StringArrayVar(&o.policy.Types, "type", nil, "`type` (typ) that is accepted, such as at+jwt; may be given again")
	flags.StringVar(&o.at, "at", "", "`time` at which the token has to be valid: RFC 3339, a date, seconds since 1970, or a length of time before now (default now)")
	flags.BoolVar(&o.signatureOnly, "signature-only", false, "check the signature, and nothing of what the token says")
	return cmd
}

func (a *app) verifyJWT(ctx context.Context, o *jwtVerify, tok string) error {
	switch {
	case o.keys == "":
		return usageError("--jwks", "the keys are not said", "a file, or an address such as https://id.example/jwks.json")
	case o.keys == "-" && tok == "-":
		return usageError("", "keys and token cannot both come from standard input", "put the keys in a file")
	}
	at, err := parseInstant("--at", o.at, a.now())
	if err != nil {
		return err
	}
	if tok, err = a.readToken(tok); err != nil {
		return err
	}
	keys, skipped, err := a.readKeys(ctx, o.keys)
	if err != nil {
		return err
	}
	var verified *jwt.Token
	if o.signatureOnly {
		verified, err = jwt.VerifySignature(tok, keys)
	} else {
		verified, _, err = o.policy.Verify(tok, keys, at)
	}
	for _, s := range skipped {
		if s.Leaked || jwt.KindOf(err) == jwt.UnknownKey {
			a.note("%s", s)
		}
	}
	if err != nil {
		return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "not valid (" + jwt.KindOf(err).String() + ")", Err: err}
	}
	return a.printClaims(verified.Payload)
}

// maxTokenInput is how much of standard input is read for a token: more than one may have, so that one that is too long
// is said to be.
const maxTokenInput = 1 << 20

// readToken returns the token that an argument is or stands for, without the white space around it that files and
// pasting bring along.
func (a *app) readToken(argument string) (string, error) {
	if argument != "-" {
		return strings.TrimSpace(argument), nil
	}
	data, err := io.ReadAll(io.LimitReader(a.stdin, maxTokenInput))
	if err != nil {
		return "", readError("standard input", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// readKeys returns the keys at an address or in a file, and those of them that are not used.
func (a *app) readKeys(ctx context.Context, from string) (*jwt.KeySet, []jwks.Skipped, error) {
	if isAddress(from) {
		keys, err := remote.New(from, remote.Options{Now: a.now})
		if err != nil {
			return nil, nil, usageError("--jwks", err.Error(), "")
		}
		if err := keys.Fetch(ctx); err != nil {
			return nil, nil, &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "fetch the keys at " + from, Err: err}
		}
		return keys.Current(), keys.State().Skipped, nil
	}
	data, err := a.readInput(from, jwks.MaxSize)
	if err != nil {
		return nil, nil, err
	}
	set, err := jwks.Parse(data)
	if err != nil {
		return nil, nil, &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read the keys in " + from, Err: err}
	}
	return set.Keys, set.Skipped, nil
}

// isAddress tells an address from the name of a file.
func isAddress(name string) bool {
	scheme, _, found := strings.Cut(name, "://")
	return found && !strings.ContainsAny(scheme, "/.")
}

// parseInstant reads a flag that is one point in time. Numbers are seconds since 1970, as tokens have them.
func parseInstant(flag, text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return now, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 40); err == nil { // 40 bits: beyond the year 10000
		return time.Unix(seconds, 0).UTC(), nil
	}
	t, err := parseBound(flag, text, now, false)
	if err != nil || t.IsZero() {
		return time.Time{}, usageError(flag, `"`+text+`" is no time`, "for example 2026-01-02T15:04:05Z, 2026-01-02, 1767366245 or 24h")
	}
	return t, nil
}

// printClaims prints a payload with numbers and texts as they are in it. Characters that act on a terminal are escaped:
// whoever made the token chose them.
func (a *app) printClaims(payload []byte) error {
	value := jsontext.Value(payload)
	if err := value.Indent(jsontext.WithIndent("  ")); err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range string(value) {
		switch high, low := utf16.EncodeRune(r); {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case high != unicode.ReplacementChar:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	_, err := fmt.Fprintln(a.stdout, b.String())
	return err
}
