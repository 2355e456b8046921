package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/terminal"
)

// app is one run of the program: what it reads and writes, and the flags that every command has.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time

	data string
	// dataNamed says that data was named by whoever started the program.
	dataNamed bool
	noColour  bool
	quiet     bool
	verbose   bool
	log       string
	// told is where an instance says what it has to say when its logs are JSON: machines read all of it.
	told *slog.Logger

	// started says that the command line was understood: what goes wrong before that is wrong usage.
	started bool
}

// run is the program: it carries out the command line args and returns the exit code.
//
//	import    files ─ ingest ─ pipeline ─ store
//	look      store ─ filter ─ terminal, JSON, CSV, Parquet, HAR
//	configure files ─ resource ─ rule (validation) ─ key-value store
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	root := a.root()
	root.SetArgs(shieldNegated(root, args))
	command, err := root.ExecuteContextC(ctx)
	if err != nil && !a.started && seshat.KindOfError(err) == seshat.ErrorInternal {
		err = misuse(command, err)
	}
	if err != nil && ctx.Err() != nil {
		err = errInterrupted
	}
	a.printError(err)
	return exitCode(err)
}

// misuse is an error of the command line that was found before the command began: an unknown command, or too many
// arguments.
func misuse(command *cobra.Command, err error) error {
	hint := "see " + command.CommandPath() + " --help"
	what, suggestion, _ := strings.Cut(err.Error(), "\n")
	if _, list, found := strings.Cut(suggestion, "?"); found { // "Did you mean this?", and one on each line
		hint = "did you mean " + strings.Join(strings.Fields(list), " or ") + "?"
	}
	return &seshat.Error{Kind: seshat.ErrorUsage, Err: errors.New(what), Hint: hint}
}

const rootHelp = `Seshat works out which user session every request of an API's traffic belongs to.

It sees live traffic, as a gateway or beside Envoy, NGINX, Traefik and Caddy, or reads what was recorded (HAR, NDJSON,
access logs). It finds the session IDs in it, joins those that belong together, and answers: who did what, in what order,
from where, with which token, and how we know. On live traffic it also acts: limits, a denylist, tokens that are not good.

Times are shown in UTC; JSON, NDJSON and CSV have RFC 3339. Colour and cutting of long values are for terminals only.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

const rootExample = `  seshat demo
  seshat run --upstream http://127.0.0.1:3000
  seshat import traffic.har logs/access.log.gz
  seshat sessions 'user:alice status:>=400' --since 24h
  seshat session 3f1c2a9e
  seshat explore 'endpoint:"POST /login"' --columns time,id,session_id,user,status`

// The groups of commands in the help.
const (
	groupLive      = "live"
	groupLook      = "look"
	groupConfigure = "configure"
	groupAccess    = "access"
	groupOther     = "other"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "seshat",
		Short:         "Sessions from API traffic",
		Long:          rootHelp,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.started = true
			return a.checkGlobals()
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.data, "data", "", "`directory` of everything that is kept (default $SESHAT_DATA, else "+defaultDataHelp+")")
	flags.BoolVar(&a.noColour, "no-color", false, "no colour, even on a terminal (or set NO_COLOR)")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "print results and errors only, no notes and no progress")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what happens to standard error")
	flags.StringVar(&a.log, "log", "text", "`format` of logs: text or json")
	root.AddGroup(
		&cobra.Group{ID: groupLive, Title: "Live traffic:"},
		&cobra.Group{ID: groupLook, Title: "Traffic and sessions:"},
		&cobra.Group{ID: groupConfigure, Title: "Resources:"},
		&cobra.Group{ID: groupAccess, Title: "Who may use the console and the API:"},
		&cobra.Group{ID: groupOther, Title: "More:"},
	)
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &seshat.Error{Kind: seshat.ErrorUsage, Err: err, Hint: "see " + cmd.CommandPath() + " --help"}
	})
	a.add(root, groupLive, a.demoCommand(), a.runCommand(), a.statusCommand(), a.revokeCommand(), a.denylistCommand(), a.limitsCommand())
	a.add(root, groupLook, a.sessionsCommand(), a.sessionCommand(), a.exploreCommand(), a.explainCommand(),
		a.importCommand(), a.exportCommand())
	a.add(root, groupConfigure, a.applyCommand(), a.validateCommand(), a.tryCommand(), a.testCommand(), a.getCommand(), a.deleteCommand(),
		a.historyCommand(), a.rollbackCommand(), a.presetsCommand(), a.schemaCommand())
	a.add(root, groupAccess, a.userCommand(), a.tokenCommand(), a.auditCommand())
	a.add(root, groupOther, a.jwtCommand(), a.keyCommand(), a.fieldsCommand(), a.versionCommand())
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.InitDefaultCompletionCmd() // now that it is known where to print
	if completion, _, err := root.Find([]string{"completion"}); err == nil && completion != root {
		// What cannot run is not checked either: a shell that it does not know would pass for a question for help.
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	return root
}

func (a *app) add(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

const defaultDataHelp = "$XDG_STATE_HOME/seshat, else ~/.local/state/seshat"

// checkGlobals checks the flags that every command has and finds the data directory.
func (a *app) checkGlobals() error {
	if a.log != "text" && a.log != "json" {
		return usageError("--log", `"`+a.log+`" is no format of logs`, "text or json")
	}
	a.noColour = a.noColour || os.Getenv("NO_COLOR") != ""
	if a.data == "" {
		a.data = os.Getenv("SESHAT_DATA")
	}
	if a.dataNamed = a.data != ""; a.dataNamed {
		return nil
	}
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) { // relative ones are to be ignored, says the standard
		a.data = filepath.Join(state, "seshat")
		return nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "find the data directory", Err: err, Hint: "name one with --data",
		}
	}
	a.data = filepath.Join(home, ".local", "state", "seshat")
	return nil
}

// screen is where results go.
func (a *app) screen() *terminal.Screen { return terminal.NewScreen(a.stdout, a.noColour) }

// notes is where remarks beside the result go.
func (a *app) notes() *terminal.Screen { return terminal.NewScreen(a.stderr, a.noColour) }

// logger is where what happens is logged: nowhere unless --verbose is given.
func (a *app) logger() *slog.Logger { return a.loggerFrom(slog.LevelDebug) }

// loggerFrom is a logger that drops what is below a level.
func (a *app) loggerFrom(level slog.Level) *slog.Logger {
	if !a.verbose {
		return slog.New(slog.DiscardHandler)
	}
	options := &slog.HandlerOptions{Level: level}
	if a.log == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, options))
	}
	return slog.New(slog.NewTextHandler(a.stderr, options))
}

var errInterrupted = errors.New("interrupted")
