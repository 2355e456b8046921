package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/terminal"
)

//nolint:gosec // it speaks of tokens, and has none
const tokenHelp = `API tokens let programs ask the API in the name of a user: for what their scopes say, as far as the user's role has it. A
token is shown once, when it is made, and ends after 90 days unless something else is said.`

func (a *app) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "token", Short: "Look after API tokens", Long: tokenHelp,
		Example: `  seshat token list
  seshat token create 'nightly export' --user ann@shop.example --scope exchanges:export
  seshat token revoke ID`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.tokenCreateCommand(), a.tokenListCommand(), a.tokenRevokeCommand())
	return cmd
}

func (a *app) tokenCreateCommand() *cobra.Command {
	var in wire.NewAPIToken
	cmd := &cobra.Command{
		Use: "create NAME --user USER --scope SCOPE...", Short: "Make an API token",
		Long: "Create makes a token and prints it to standard output, this once. Scopes are permissions: " + strings.Join(scopes(), ", ") + ".",
		Example: `  seshat token create 'nightly export' --user ann@shop.example --scope exchanges:export --for 30d
  seshat token create dashboard --user ann@shop.example --scope status:read,sessions:read --for never`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Name = args[0]
			switch {
			case in.User == "":
				return usageError("--user", "it is missing", "whose token it is")
			case len(in.Scopes) == 0:
				return usageError("--scope", "it is missing", "one of "+strings.Join(scopes(), ", "))
			}
			for _, scope := range in.Scopes {
				if err := checkWord("--scope", scope, scopes()...); err != nil {
					return err
				}
			}
			return a.withAccounts(cmd.Context(), func(c *client.Client) error {
				made, err := c.MakeToken(cmd.Context(), &in)
				if err != nil {
					return err
				}
				end := "does not end by itself"
				if !made.ExpiresAt.IsZero() {
					end = "ends at " + terminal.Time(made.ExpiresAt)
				}
				a.note("Token %s of %s, ID %s: it %s, and is shown this once.", made.Name, made.User, made.ID, end)
				_, err = fmt.Fprintln(a.stdout, made.Token)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&in.User, "user", "", "`name` of whose token it is")
	cmd.Flags().StringSliceVar(&in.Scopes, "scope", nil, "`permission` that it has; several with commas, or several times")
	cmd.Flags().StringVar(&in.For, "for", "", "how `long` it is good for, up to 366d, or never (default 90d)")
	_ = cmd.RegisterFlagCompletionFunc("user", a.completeUsers) // fails only for a flag that is not there
	completeFlag(cmd, "scope", scopes()...)
	return cmd
}

func scopes() (out []string) {
	for _, p := range api.Scopes() {
		out = append(out, string(p))
	}
	return out
}

func (a *app) tokenListCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "list", Short: "List the API tokens", Long: `List lists the tokens of all users, the newest first, without what is secret of them.`,
		Example: `  seshat token list --format json`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listTokens(cmd.Context(), format) },
	}
	formatFlag(cmd, &format, "table", "json")
	return cmd
}

func (a *app) listTokens(ctx context.Context, format string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	var tokens []wire.APIToken
	err := a.withAccounts(ctx, func(c *client.Client) (err error) {
		tokens, err = c.Tokens(ctx, true)
		return err
	})
	switch {
	case err != nil:
		return err
	case format == "json":
		return a.writeJSON(tokens)
	case len(tokens) == 0:
		a.note("There are no API tokens.")
		return nil
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "ID"}, {Title: "NAME", Least: 12}, {Title: "USER", Least: 8}, {Title: "MADE"}, {Title: "UNTIL"}, {Title: "LAST USED"}, {Title: "SCOPES", Least: 12},
	})
	for i := range tokens {
		t := &tokens[i]
		until, used := "for good", "never"
		if !t.ExpiresAt.IsZero() {
			until = terminal.Time(t.ExpiresAt)
		}
		if !t.LastUsed.IsZero() {
			used = terminal.Time(t.LastUsed)
		}
		err := rows.Add([]terminal.Cell{
			{Text: t.ID}, {Text: t.Name}, {Text: t.User}, {Text: terminal.Time(t.CreatedAt)}, {Text: until}, {Text: used}, {Text: strings.Join(t.Scopes, " ")},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID...", Short: "Revoke API tokens", Long: `Revoke ends tokens at once, by their IDs, which seshat token list has and which stand behind "seshat_" in a token.`,
		Example: `  seshat token revoke qsj6jzttkfzqw`, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), func(c *client.Client) error {
				for _, id := range args {
					if strings.HasPrefix(id, "seshat_") {
						return &seshat.Error{Kind: seshat.ErrorUsage, Op: "revoke a token", Err: fmt.Errorf("that is a token, and not its ID"), Hint: "the ID is what stands between the first two _"}
					}
					if err := c.RevokeToken(cmd.Context(), id); err != nil {
						return err
					}
					if _, err := fmt.Fprintf(a.stdout, "%s revoked\n", id); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}
