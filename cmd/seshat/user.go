package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/instance"
	"github.com/seshat-project/seshat/internal/terminal"
)

const userHelp = `Users sign in to the console, and make API tokens. What they may do is their role: a viewer reads; an analyst also ends
sessions, tries rules, reveals, exports and imports; an admin does everything.

Passwords are read from standard input, or asked for on a terminal. What is changed holds at once, in a running instance too:
sessions of a user end when the role or the password changes, and when the user is disabled or deleted.`

func (a *app) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", Short: "Look after who may use the console", Long: userHelp,
		Example: `  seshat user list
  seshat user add ann@shop.example --role analyst
  seshat user link --user ann@shop.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.userListCommand(), a.userAddCommand(), a.userRoleCommand(), a.userDisableCommand(), a.userEnableCommand(), a.userDeleteCommand(),
		a.userPasswordCommand(), a.userSignOutCommand(), a.userLinkCommand(),
	)
	return cmd
}

func (a *app) userListCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "list", Short: "List the users", Long: `List lists the users by name.`, Example: `  seshat user list --format json`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listUsers(cmd.Context(), format) },
	}
	formatFlag(cmd, &format, "table", "json")
	return cmd
}

func (a *app) listUsers(ctx context.Context, format string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	var users []wire.User
	err := a.withAccounts(ctx, func(c *client.Client) (err error) {
		users, err = c.Users(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case format == "json":
		return a.writeJSON(users)
	case len(users) == 0:
		a.note("There are no users. Add one with: %s", a.typed("user add NAME --role admin"))
		return nil
	}
	rows := a.screen().Rows([]terminal.Column{
		{Title: "NAME", Least: 12}, {Title: "DISPLAY NAME", Least: 8}, {Title: "ROLE"}, {Title: "SIGNS IN WITH"}, {Title: "SINCE"}, {Title: "BY", Least: 4},
	})
	for i := range users {
		u := &users[i]
		err := rows.Add([]terminal.Cell{
			{Text: u.Name}, {Text: u.DisplayName}, {Text: u.Role}, {Text: signsInWith(u)}, {Text: terminal.Time(u.CreatedAt)}, {Text: u.CreatedBy},
		})
		if err != nil {
			return err
		}
	}
	return rows.Flush()
}

func signsInWith(u *wire.User) string {
	switch {
	case u.Disabled:
		return "nothing: disabled"
	case u.Issuer != "":
		return "OpenID"
	case u.HasPassword:
		return "password"
	default:
		return "a link"
	}
}

func (a *app) userAddCommand() *cobra.Command {
	var in wire.NewUser
	var none bool
	cmd := &cobra.Command{
		Use: "add NAME --role ROLE", Short: "Add a user",
		Long: `Add adds a user, whose password it reads from standard input or asks for. With --no-password the user has none, and sets one
by a link: see seshat user link.`,
		Example: `  seshat user add ann@shop.example --role analyst --display-name 'Ann Example'
  seshat user add bob --role viewer --no-password`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			if err := checkRole("--role", in.Role); err != nil {
				return err
			}
			if in.Name = args[0]; !none {
				if in.Password, err = a.readPassword(ctx); err != nil {
					return err
				}
			}
			return a.withAccounts(ctx, func(c *client.Client) error {
				u, err := c.AddUser(ctx, &in)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.stdout, "%s added, as %s\n", u.Name, u.Role)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&in.Role, "role", "", "`role`: viewer, analyst or admin")
	cmd.Flags().StringVar(&in.DisplayName, "display-name", "", "`name` for people to read")
	cmd.Flags().BoolVar(&none, "no-password", false, "without a password: the user sets one by a link")
	completeFlag(cmd, "role", roles()...)
	return cmd
}

func roles() (out []string) {
	for _, r := range account.Roles() {
		out = append(out, string(r))
	}
	return out
}

func checkRole(flag, role string) error {
	if role == "" {
		return usageError(flag, "it is missing", "viewer, analyst or admin")
	}
	return checkWord(flag, role, roles()...)
}

// userChangeCommand is a command that changes one user.
func (a *app) userChangeCommand(use, short, long, example string, change func(ctx context.Context, c *client.Client, name string) error, done string) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME", Short: short, Long: long, Example: example, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withAccounts(cmd.Context(), func(c *client.Client) error {
				if err := change(cmd.Context(), c, args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(a.stdout, "%s %s\n", args[0], done)
				return err
			})
		},
	}
}

func setDisabled(disabled bool) func(context.Context, *client.Client, string) error {
	return func(ctx context.Context, c *client.Client, name string) error {
		_, err := c.ChangeUser(ctx, name, 0, &wire.UserChange{Disabled: &disabled})
		return err
	}
}

func (a *app) userDisableCommand() *cobra.Command {
	return a.userChangeCommand("disable", "Let a user in no more", `Disable ends the user's sessions, and lets neither the user nor the user's tokens in until the user is enabled.`,
		`  seshat user disable ann@shop.example`, setDisabled(true), "disabled")
}

func (a *app) userEnableCommand() *cobra.Command {
	return a.userChangeCommand("enable", "Let a user in again", `Enable lets a user who was disabled sign in again, and the user's tokens be used.`,
		`  seshat user enable ann@shop.example`, setDisabled(false), "enabled")
}

func (a *app) userDeleteCommand() *cobra.Command {
	return a.userChangeCommand("delete", "Delete a user", `Delete deletes a user, with sessions and API tokens. What the user did stays in the audit log.`,
		`  seshat user delete ann@shop.example`, func(ctx context.Context, c *client.Client, name string) error { return c.DeleteUser(ctx, name, 0) }, "deleted")
}

func (a *app) userSignOutCommand() *cobra.Command {
	return a.userChangeCommand("sign-out", "End all sessions of a user", `Sign-out ends all sessions that a user has in the console. API tokens stay.`,
		`  seshat user sign-out ann@shop.example`, func(ctx context.Context, c *client.Client, name string) error { return c.EndConsoleSessions(ctx, name) }, "signed out everywhere")
}

func (a *app) userRoleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "set-role NAME ROLE", Short: "Change what a user may do", Long: `Set-role gives a user another role, and ends the user's sessions.`,
		Example: `  seshat user set-role ann@shop.example admin`, Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return roles(), cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeUsers(cmd, args, word)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkRole("ROLE", args[1]); err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), func(c *client.Client) error {
				u, err := c.ChangeUser(cmd.Context(), args[0], 0, &wire.UserChange{Role: &args[1]})
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.stdout, "%s is %s\n", u.Name, u.Role)
				return err
			})
		},
	}
}

func (a *app) userPasswordCommand() *cobra.Command {
	return &cobra.Command{
		Use: "password NAME", Short: "Set the password of a user",
		Long:    `Password reads a password from standard input, or asks for it, and ends the user's sessions.`,
		Example: `  seshat user password ann@shop.example`, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.readPassword(cmd.Context())
			if err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), func(c *client.Client) error {
				if _, err := c.SetPassword(cmd.Context(), args[0], &wire.PasswordChange{Password: password}); err != nil {
					return err
				}
				_, err := fmt.Fprintf(a.stdout, "%s has a new password\n", args[0])
				return err
			})
		},
	}
}

func (a *app) userLinkCommand() *cobra.Command {
	var in wire.NewSignInLink
	cmd := &cobra.Command{
		Use: "link [--user NAME | --owner]", Short: "Make a one-time link to sign in with",
		Long: `Link makes a link that is good once, within a day. With --user it sets the password of that user, who may have forgotten it;
without, it makes a new administrator. With --owner it signs in without any user, for as long as the instance runs.

The link is printed to standard output, for you alone: whoever has it gets in.`,
		Example: `  seshat user link
  seshat user link --user ann@shop.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withInstance(cmd.Context(), "make a link", func(c *client.Client) error {
				link, err := c.MakeSignInLink(cmd.Context(), &in)
				if err != nil {
					return err
				}
				base, err := a.consoleURL(cmd.Context())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.stdout, base+link.Path)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&in.User, "user", "", "`name` of whose password it sets")
	cmd.Flags().BoolVar(&in.Owner, "owner", false, "sign in without a user")
	_ = cmd.RegisterFlagCompletionFunc("user", a.completeUsers) // fails only for a flag that is not there
	return cmd
}

// consoleURL is where browsers reach the console of the running instance.
func (a *app) consoleURL(ctx context.Context) (string, error) {
	info, err := instance.Find(ctx, a.data, lockWait)
	switch {
	case err != nil:
		return "", err
	case info == nil:
		return "", &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "find the instance", Err: errors.New("it has just ended")}
	case info.Console != "":
		return info.Console, nil
	default:
		return info.URL(), nil
	}
}

// completeUsers completes the name of a user.
func (a *app) completeUsers(cmd *cobra.Command, args []string, _ string) (out []string, directive cobra.ShellCompDirective) {
	if len(args) == 0 && a.checkGlobals() == nil && a.hasResources() {
		ctx, stop := context.WithTimeout(cmd.Context(), completeWait)
		defer stop()
		_ = a.withAccounts(ctx, func(c *client.Client) error { // without an answer nothing is offered
			users, err := c.Users(ctx)
			for i := range users {
				out = append(out, users[i].Name)
			}
			return err
		})
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
