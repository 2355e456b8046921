package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/detect"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/duckdb"
	"github.com/seshat-project/seshat/internal/terminal"
)

const importHelp = `Import reads recorded traffic, works out its sessions and stores them.

A FILE is a HAR, NDJSON exchanges (docs/formats/ndjson.md), or an access log, plain or packed with gzip or zstd; - is
standard input. The format is found by the content; --format and --log-format name it where that fails.

All files of one import are put into the order of their times together: neither the order of the files nor of the lines
in them matters. What is stored already is recognised and not stored twice, so an import that was interrupted is simply
run again.

A line that cannot be read is reported with file and line, and does not stop the rest; nor does a file that cannot be
read. The summary at the end says how many exchanges were read and stored, how many records were bad (could not be read)
or skipped (are no HTTP exchange, such as data: URLs in a HAR), how many exchanges are duplicates (were stored before, or
are twice in the input), how many sessions began, and how many seconds it took.

Where Authorization is on more than 1 % of a host's successful requests and no session rule finds anything there, a
session rule for the host is added, with a note. It is a resource like any other and can be changed, disabled or deleted.

Of client session IDs only keyed digests and masked forms are stored. Exchanges that were stored longer ago than the
retention (7 days; see the Settings resource) are removed, a day at a time.

Exit codes: 0 when something could be read, also when some lines were bad; 1 when a file could not be read or nothing
could; 2 for wrong usage; 130 when it was interrupted.`

type importOptions struct {
	format      string
	logFormat   string
	output      string
	environment string
	service     string
	badLines    int
}

func (a *app) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Read recorded traffic and store its sessions",
		Long:  importHelp,
		Example: `  seshat import traffic.har logs/access.log.gz exchanges.ndjson
  seshat import --log-format '$remote_addr [$time_local] "$request" $status "$http_cookie"' access.log
  zcat *.gz | seshat import - --environment prod --service shop
  seshat import traffic.har --output json | jq .sessions`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importFiles(cmd.Context(), args, &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", "", "`format` of the input: har, ndjson or accesslog (default: by the content);\njson is no input format and means --output json")
	completeFlag(cmd, "format", detect.HAR, detect.NDJSON, detect.AccessLog, "json")
	flags.StringVar(&o.logFormat, "log-format", "", "`format` of an access log: combined, common, nginx-json, caddy, envoy-json, traefik, or\na pattern in the syntax of NGINX (log_format) or Apache (LogFormat)")
	completeFlag(cmd, "log-format", accesslog.Formats()...)
	flags.StringVarP(&o.output, "output", "o", "text", "`form` of the summary: text or json")
	completeFlag(cmd, "output", "text", "json")
	flags.StringVar(&o.environment, "environment", "", "`name` of the environment of exchanges that name none")
	flags.StringVar(&o.service, "service", "", "`name` of the service of exchanges that name none (default: their host)")
	flags.IntVar(&o.badLines, "bad-lines", 20, "how many bad lines to report before they are only counted")
	return cmd
}

func (o *importOptions) check() error {
	if o.format == "json" {
		o.format, o.output = "", "json"
	}
	if o.format != "" {
		if err := checkFormat(o.format, detect.HAR, detect.NDJSON, detect.AccessLog); err != nil {
			return err
		}
	}
	if o.logFormat != "" {
		if _, err := accesslog.ParseFormat(o.logFormat); err != nil {
			return &seshat.Error{Kind: seshat.ErrorUsage, Op: "--log-format", Err: err}
		}
		if o.format != "" && o.format != detect.AccessLog {
			return usageError("--log-format", "a log format was given for the format "+o.format, "leave one of the two out")
		}
	}
	if o.badLines < 0 {
		return usageError("--bad-lines", "it cannot be negative", "0 only counts them")
	}
	return checkWord("--output", o.output, "text", "json")
}

func (a *app) importFiles(ctx context.Context, files []string, o *importOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	run := &importRun{
		app: a, options: o, progress: terminal.NewProgress(a.notes(), a.quiet, a.now),
	}
	inputs := run.inputs(files)
	if len(inputs) == 0 {
		return errReported // each was complained about
	}
	summary, err := run.importAll(ctx, inputs)
	run.progress.Done()
	run.countBad()
	if err != nil && summary.Seconds == 0 && ctx.Err() == nil { // it did not begin, so that there is nothing to sum up
		return err
	}
	if err := errors.Join(err, a.printSummary(&summary, o.output)); err != nil {
		if ctx.Err() != nil {
			a.note("Interrupted. What is stored stays; run the same command again to go on.")
		}
		return err
	}
	for _, rule := range run.added {
		a.noteAuto(rule.host, rule.name)
	}
	switch {
	case run.failed:
		return errReported
	case summary.Read == 0:
		return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "import", Err: errors.New("nothing could be read")}
	}
	return nil
}

// importAll imports through the running instance, or here when there is none.
func (r *importRun) importAll(ctx context.Context, inputs []*lazyInput) (summary pipeline.Summary, err error) {
	err = r.elsewhere(ctx, func(c *client.Client) error {
		defer func() { _ = c.Close() }()
		summary, err = r.importThrough(ctx, c, inputs)
		return err
	}, func() error {
		summary, err = r.importHere(ctx, inputs)
		return err
	})
	return summary, err
}

// importHere imports into the store of the data directory.
func (r *importRun) importHere(ctx context.Context, inputs []*lazyInput) (summary pipeline.Summary, err error) {
	e, err := r.engines(ctx)
	if err != nil {
		return summary, err
	}
	s, err := r.openStore(ctx, duckdb.Options{LockWait: lockWait, Memory: duckdb.ImportMemory})
	if err != nil {
		return summary, err
	}
	defer closing(s, &err)
	if err := r.dropOld(ctx, s, e.rules); err != nil {
		return summary, err
	}
	defer limitMemory()()
	readers := make([]pipeline.Input, len(inputs))
	for i, input := range inputs {
		readers[i] = pipeline.Input{Name: input.name, Reader: input}
	}
	summary, err = r.importer(s, e).Import(ctx, readers, pipeline.Reports{Bad: r.bad, Failed: r.fail, Progress: r.report})
	if err != nil || len(summary.AutoIdentifiers) == 0 {
		return summary, err
	}
	return summary, r.withRegistry(ctx, func(registry *registry) error {
		return r.autoIdentify(ctx, registry, e.rules, summary.AutoIdentifiers, func(host, name string) {
			r.added = append(r.added, addedRule{host, name})
		})
	})
}

// importer is what imports into a store.
func (a *app) importer(s store.Store, e *engines) *pipeline.Importer {
	return &pipeline.Importer{
		Store: s, Engine: e.engine, Digester: e.digester, Correlation: e.correlation, SpoolDir: a.path(spoolDir),
		Workers: runtime.GOMAXPROCS(0), Now: a.now,
	}
}

// An import makes garbage fast, and by default as much of it may be held as is in use. A third of that, and more effort
// beyond importMemory, is what leaves the whole process within 300 MB beside the store; it costs some 10 % of the time.
const (
	importGarbage = 30 // percent
	importMemory  = 90 << 20
)

// limitMemory sets the limits, unless GOMEMLIMIT or GOGC say otherwise, and returns what takes them back.
func limitMemory() (restore func()) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return func() {}
	}
	limit, percent := debug.SetMemoryLimit(importMemory), debug.SetGCPercent(importGarbage)
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}

// importRun is one import: what is said while it goes on.
type importRun struct {
	*app
	options  *importOptions
	progress *terminal.Progress
	badLines int64
	failed   bool
	// total is the size of all files, and read how much of it was read in the files before the current one.
	total, read int64
	current     int64

	added []addedRule
	mu    sync.Mutex // of everything, where an instance imports: what it says comes while files are sent
}

// addedRule is a session rule that was set by itself.
type addedRule struct{ host, name string }

// complainApart is complain while a bar is shown.
func (r *importRun) complainApart(text string) {
	r.progress.Clear()
	r.complain(text)
}

// bad reports a record that cannot be read.
func (r *importRun) bad(input string, record *ingest.BadRecord) {
	if record.Skipped {
		return // nothing is wrong with it: it is no HTTP exchange
	}
	if r.badLines++; r.badLines > int64(r.options.badLines) {
		return
	}
	r.progress.Clear()
	fmt.Fprintln(r.stderr, terminal.Escape(fmt.Sprintf("%s:%d: %v", input, record.Position.Line, record.Err)))
}

// countBad says how many bad lines were not reported one by one.
func (r *importRun) countBad() {
	if more := r.badLines - int64(r.options.badLines); more > 0 {
		what := "bad line"
		if r.options.badLines > 0 {
			what = "more bad line"
		}
		r.complain(terminal.Plural(more, what, what+"s") + " (--bad-lines says how many are reported)")
	}
}

// fail reports an input that could not be read to its end.
func (r *importRun) fail(_ string, err error) { // every error names its input
	r.failed = true
	r.complainApart(failedText(err))
}

// report shows how far the import is.
func (r *importRun) report(phase pipeline.Phase, done, total int64) {
	switch phase {
	case pipeline.PhaseRead:
		if r.total == 0 { // standard input: only what came out of it is known
			r.progress.Count("reading exchanges", done, 0)
		}
	case pipeline.PhaseStore:
		r.progress.Count("storing exchanges", done, total)
	}
}

// reportBytes shows how much of the files was read.
func (r *importRun) reportBytes(read, _ int64) {
	r.current = read
	if r.total > 0 {
		r.progress.Bytes("reading", r.read+read, r.total)
	}
}

func (a *app) printSummary(s *pipeline.Summary, output string) error {
	if output == "json" {
		out := json.NewEncoder(a.stdout)
		out.SetEscapeHTML(false)
		return out.Encode(s)
	}
	if a.quiet {
		return nil
	}
	skipped := ""
	if s.Skipped > 0 {
		skipped = terminal.Count(s.Skipped) + " skipped (no HTTP exchanges), "
	}
	_, err := fmt.Fprintf(a.stdout, "%s read, %s stored, %s bad, %s%s, %s, %.2f seconds\n",
		terminal.Plural(s.Read, "exchange", "exchanges"), terminal.Count(s.Stored), terminal.Count(s.Bad), skipped,
		terminal.Plural(s.Duplicates, "duplicate", "duplicates"), terminal.Plural(s.Sessions, "session", "sessions"), s.Seconds)
	return err
}

// defaultRetention is how long exchanges are kept, from when they were stored, unless the settings say otherwise.
const defaultRetention = 7 * 24 * time.Hour

// dropOld removes what was stored longer ago than the retention.
func (a *app) dropOld(ctx context.Context, s store.Store, rules *rule.Ruleset) error {
	retention := defaultRetention
	if set := rules.Settings().Retention; set != nil {
		retention = time.Duration(*set)
	}
	dropped, err := s.DropBefore(ctx, a.now().Add(-retention))
	if dropped > 0 {
		a.note("%s stored more than %s ago removed.", terminal.Plural(dropped, "exchange", "exchanges"), seshat.Duration(retention))
	}
	return err
}
