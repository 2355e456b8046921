package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/ingest/ndjson"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/terminal"
)

const explainHelp = `Explain says how an exchange got its session: which rules are in scope, which conditions hold, what each transformation
made of what was found (masked), what the built-in set found, which ID came first, and why.

FILE has exchanges in Seshat's own format (docs/formats/ndjson.md), each on one line or over several; - is standard
input. They are explained by the rules that are in force now, and are not stored. --rules explains them by other rules,
which needs no data directory. Of a long value the beginning is shown; --format json has the whole.

With --id an exchange that is stored is explained. Of that only what is kept can be said: the IDs that were found
(masked), by which identifier, and the evidence that links them to the session. What was not found, and why not, needs the
exchange itself.`

type explainOptions struct {
	id     string
	format string
	rules  resourceFiles
}

// maxExplained is how many bytes a file with exchanges to explain may have. People read explanations one by one.
const maxExplained = 64 << 20

func (a *app) explainCommand() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain FILE | --id EXCHANGE",
		Short: "Say how an exchange got its session",
		Long:  explainHelp,
		Example: `  seshat explain exchange.json
  seshat explain exchange.json --rules rules.yaml
  head -1 exchanges.ndjson | seshat explain - --format json
  seshat explain --id e42`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && o.id == "":
				return usageError("", "no exchange was named", "a file, - for standard input, or --id EXCHANGE")
			case len(args) == 1 && o.id != "":
				return usageError("", "a file and --id exclude each other", "")
			}
			if err := checkFormat(o.format, "text", "json"); err != nil {
				return err
			}
			if o.id != "" {
				return a.explainStored(cmd.Context(), &o)
			}
			return a.explainFile(cmd.Context(), args[0], &o)
		},
	}
	cmd.Flags().StringVar(&o.id, "id", "", "the own ID or the key of an `exchange` that is stored")
	cmd.Flags().StringArrayVar(&o.rules.files, "rules", nil, "`file` with resources to explain by, in place of those in force; may be repeated")
	formatFlag(cmd, &o.format, "text", "json")
	return cmd
}

func (a *app) explainFile(ctx context.Context, file string, o *explainOptions) error {
	data, err := a.readInput(file, maxExplained)
	if err != nil {
		return err
	}
	engine, digester, err := a.explainEngine(ctx, o)
	if err != nil {
		return err
	}
	n := 0
	return explainAll(ctx, engine, digester, file, data, func(x *seshat.Exchange, e *identify.Explanation) error {
		n++
		return a.writeExplanation(x, e, n-1, o.format)
	})
}

// explainAll explains the exchanges in data, which comes from file.
func explainAll(ctx context.Context, engine *identify.Engine, digester *protect.Digester, file string, data []byte, each func(*seshat.Exchange, *identify.Explanation) error) error {
	worker, observer := engine.NewWorker(), pipeline.NewObserver(engine, digester)
	var decoder ndjson.Decoder
	values := json.NewDecoder(bytes.NewReader(data))
	for n := 0; ; n++ {
		var value json.RawMessage
		begins := values.InputOffset()
		switch err := values.Decode(&value); {
		case errors.Is(err, io.EOF) && n > 0:
			return nil
		case errors.Is(err, io.EOF):
			err = errors.New("there is no exchange in it")
			fallthrough
		case err != nil:
			return &seshat.Error{
				Kind: seshat.ErrorInvalid, Op: at("read", file, data, begins), Err: err, Hint: "one JSON object for each exchange, as in docs/formats/ndjson.md",
			}
		}
		exchange, err := decoder.Decode(value)
		if err != nil {
			return &seshat.Error{Kind: seshat.ErrorInvalid, Op: at("read", file, data, begins), Err: err}
		}
		explanation := worker.Explain(exchange)
		// The path may hold a secret: it is shown as it would be kept.
		explanation.URL = strings.TrimSuffix(explanation.URL, exchange.Request.Path) + observer.Observe(exchange).Path
		if err := errors.Join(each(exchange, &explanation), ctx.Err()); err != nil {
			return err
		}
	}
}

// at is an operation on the line of file that the byte at offset is on.
func at(op, file string, data []byte, offset int64) string {
	for offset < int64(len(data)) && strings.IndexByte(" \t\r\n", data[offset]) >= 0 {
		offset++
	}
	return fmt.Sprintf("%s %s:%d", op, file, 1+bytes.Count(data[:offset], []byte{'\n'}))
}

// explainEngine is the engine to explain with, and the digester of what it finds: those of the data directory, or an
// engine of the rules that were named.
func (a *app) explainEngine(ctx context.Context, o *explainOptions) (*identify.Engine, *protect.Digester, error) {
	if len(o.rules.files) == 0 {
		return a.storedEngine(ctx)
	}
	rules, err := a.rulesetOf(o.rules.files)
	if err != nil {
		return nil, nil, err
	}
	digester := protect.NewKeyring(a.now()).Digester()
	return identify.New(rules, digester), digester, nil
}

// storedEngine is the engine of the data directory, of which it makes nothing: where there is none, only the built-in
// set is in force. The key does not matter to what is explained.
func (a *app) storedEngine(ctx context.Context) (*identify.Engine, *protect.Digester, error) {
	rules, err := a.rulesetThatIs(ctx)
	if err != nil {
		return nil, nil, err
	}
	ring, err := protect.LoadKey(a.path(keyFile))
	switch {
	case err == nil:
	case seshat.KindOfError(err) == seshat.ErrorNotFound:
		ring = protect.NewKeyring(a.now())
	default:
		return nil, nil, err
	}
	digester := ring.Digester()
	return identify.New(rules, digester), digester, nil
}

// rulesetThatIs is ruleset, and that of no resources where nothing was applied or imported yet.
func (a *app) rulesetThatIs(ctx context.Context) (*rule.Ruleset, error) {
	if a.hasResources() {
		return a.ruleset(ctx)
	}
	a.note("Nothing is in %s: this is by the built-in set alone.", a.data)
	rules, faults := rule.Compile(nil)
	if len(faults) > 0 {
		return nil, faults
	}
	return rules, nil
}

func (a *app) explainStored(ctx context.Context, o *explainOptions) (err error) {
	s, err := a.openForReading(ctx)
	if err != nil {
		return err
	}
	defer a.closeRead(s)
	x, err := s.Exchange(ctx, o.id)
	if err != nil {
		return err
	}
	if err := a.noteNamesakes(ctx, s, x, o.id); err != nil {
		return err
	}
	session, err := s.Session(ctx, x.Session)
	if err != nil {
		return err
	}
	lineage, err := s.Lineage(ctx, x.Session)
	if err != nil {
		return err
	}
	lineage = slices.DeleteFunc(lineage, func(l seshat.Link) bool { return !concerns(&l, x) })
	kept := terminal.NewKept(x, session, lineage)
	if o.format == "json" {
		return a.writeJSON(kept)
	}
	return a.screen().Kept(kept)
}

// concerns reports whether a link was made by the exchange, or is about an ID that was found in it.
func concerns(l *seshat.Link, x *seshat.Assigned) bool {
	if l.Exchange == x.Key {
		return true
	}
	return !l.To.IsZero() && slices.ContainsFunc(x.IDs, func(id seshat.ObservedID) bool { return id.Digest == l.To })
}
