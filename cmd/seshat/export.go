package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/terminal"
)

const exportHelp = `Export writes sessions or exchanges to a file: parquet and csv with a column for each thing that is kept (see
docs/formats/export.md), ndjson with one JSON object a line, har (of exchanges only) as HTTP archive 1.2.

ndjson of sessions is what seshat sessions --format json prints. ndjson of exchanges is the exchange format that seshat
import reads, with what Seshat found beside it. Only what is kept can be written: no headers but User-Agent, no bodies,
no queries, and no secret; client session IDs are masked.

The user of an exchange is the one that it names itself; a session's exchanges are those with session_id:ID.

All that is stored is exported unless FILTER, --since or --until narrow it. The file appears when it is whole; - writes
ndjson and har to standard output.`

type exportOptions struct {
	timeRange
	format string
	output string
}

func (a *app) exportCommand() *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:         "export sessions|exchanges -o FILE [FILTER]",
		Annotations: map[string]string{takesFilter: "all arguments"},
		Short:       "Write sessions or exchanges to a file",
		Long:        exportHelp,
		Example: `  seshat export sessions --format parquet -o sessions.parquet
  seshat export exchanges --format csv -o errors.csv 'status:>=500' --since 7d
  seshat export exchanges --format har -o session.har 'session_id:3f1c2a9e*'`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
			switch {
			case len(args) == 0:
				return []string{string(store.DatasetSessions), string(store.DatasetExchanges)}, cobra.ShellCompDirectiveNoFileComp
			case args[0] == string(store.DatasetSessions):
				return completeFilter(filter.Sessions())(cmd, args, word)
			default:
				return completeFilter(filter.Exchanges())(cmd, args, word)
			}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.export(cmd.Context(), store.Dataset(args[0]), args[1:], &o)
		},
	}
	formatFlag(cmd, &o.format, "parquet", "csv", "ndjson", "har")
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "`file` to write")
	cmd.Flags().StringVar(&o.since, "since", "all", "`time` or length of time before now from which to export")
	cmd.Flags().StringVar(&o.until, "until", "all", "`time` or length of time before now up to which to export")
	return cmd
}

func (o *exportOptions) check(what store.Dataset) error {
	if err := checkWord("", string(what), string(store.DatasetSessions), string(store.DatasetExchanges)); err != nil {
		return err
	}
	if err := checkFormat(o.format, "parquet", "csv", "ndjson", "har"); err != nil {
		return err
	}
	switch {
	case o.output == "":
		return usageError("--output", "no file was named", "for example -o "+string(what)+"."+o.format)
	case o.format == "har" && what == store.DatasetSessions:
		return usageError("--format", "a HAR holds exchanges", "seshat export exchanges --format har")
	case o.output == "-" && (o.format == "parquet" || o.format == "csv"):
		return usageError("--output", o.format+" needs a file", "seshat sessions and seshat explore print csv with --format csv")
	}
	return nil
}

func (a *app) export(ctx context.Context, what store.Dataset, args []string, o *exportOptions) (err error) {
	if err := o.check(what); err != nil {
		return err
	}
	fields := filter.Exchanges()
	if what == store.DatasetSessions {
		fields = filter.Sessions()
	}
	q := store.Query{Now: a.now()}
	if q.Filter, err = a.parseFilter(args, fields); err != nil {
		return err
	}
	if q.Since, q.Until, err = o.bounds(q.Now); err != nil {
		return err
	}
	s, err := a.openForReading(ctx)
	if err != nil {
		return err
	}
	defer a.closeRead(s)
	var rows int64
	switch {
	case o.format == "parquet", o.format == "csv":
		rows, err = s.Export(ctx, what, o.format, q, o.output)
	case o.output == "-":
		rows, err = exportTo(ctx, s, what, o.format, q, a.stdout)
	default:
		rows, err = exportFile(ctx, s, what, o.format, q, o.output)
	}
	if err != nil {
		return err
	}
	one := string(what[:len(what)-1])
	a.note("%s written to %s.", terminal.Plural(rows, one, string(what)), o.output)
	return nil
}

// exportFile writes a file that has its name only once it is whole.
func exportFile(ctx context.Context, s store.Reader, what store.Dataset, format string, q store.Query, path string) (rows int64, err error) {
	op := "export " + string(what) + " to " + path
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // the user named it
	if err == nil {
		rows, err = exportTo(ctx, s, what, format, q, file)
		err = errors.Join(err, file.Close())
		if err == nil {
			err = os.Rename(part, path)
		} else {
			err = errors.Join(err, os.Remove(part))
		}
	}
	if err != nil {
		return 0, &seshat.Error{Kind: seshat.ErrorInvalid, Op: op, Err: err}
	}
	return rows, nil
}

// exportTo writes ndjson or har.
func exportTo(ctx context.Context, s store.Reader, what store.Dataset, format string, q store.Query, w io.Writer) (rows int64, err error) {
	out := bufio.NewWriter(w)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	var failed error
	if what == store.DatasetSessions {
		err = s.Sessions(ctx, q, func(session *seshat.Session) bool {
			rows++
			failed = encoder.Encode(completeSession(session))
			return failed == nil
		})
		return rows, cmp.Or(failed, err, out.Flush())
	}
	q.OldestFirst = true // as archives are read
	write := func(x *seshat.Assigned) error { return encoder.Encode(exportedExchange(x)) }
	end := func() error { return nil }
	if format == "har" {
		write, end, err = harWriter(out, encoder)
		if err != nil {
			return 0, err
		}
	}
	err = s.Exchanges(ctx, q, func(x *seshat.Assigned) bool {
		rows++
		failed = write(x)
		return failed == nil
	})
	if err := cmp.Or(failed, err); err != nil {
		return rows, err
	}
	return rows, cmp.Or(end(), out.Flush())
}

// ndjsonExchange is the exchange format, version 1, as far as exchanges are kept, and what was found in it beside it.
// Readers of the format pass over members that they do not know.
type ndjsonExchange struct {
	ID          string          `json:"id,omitempty"`
	Time        string          `json:"time"`
	DurationMS  float64         `json:"duration_ms,omitempty"`
	Environment string          `json:"environment,omitempty"`
	Service     string          `json:"service,omitempty"`
	Client      ndjsonClient    `json:"client,omitzero"`
	Request     ndjsonRequest   `json:"request"`
	Response    *ndjsonResponse `json:"response,omitempty"`
	TraceID     string          `json:"trace_id,omitempty"`

	Key              string            `json:"key"`
	SessionID        string            `json:"session_id"`
	Endpoint         string            `json:"endpoint"`
	User             string            `json:"user,omitempty"`
	Roles            []string          `json:"roles,omitempty"`
	Identifier       string            `json:"identifier,omitempty"`
	ClientSessionIDs []string          `json:"client_session_ids,omitempty"`
	Flows            []string          `json:"flows,omitempty"`
	Attributes       map[string]string `json:"attributes,omitempty"`
	Verdict          *exportedVerdict  `json:"verdict,omitempty"` // none was allowed
}

// exportedVerdict is what Seshat did with an exchange that it did not just allow.
type exportedVerdict struct {
	Action string   `json:"action"`
	By     string   `json:"by,omitempty"`
	Tags   []string `json:"tags,omitempty"`
}

func exportVerdict(x *seshat.Assigned) *exportedVerdict {
	v := &x.Verdict
	if v.Action == seshat.ActionAllow && v.By == "" && len(v.Tags) == 0 {
		return nil
	}
	return &exportedVerdict{Action: v.Action.String(), By: v.By, Tags: v.Tags}
}

type ndjsonClient struct {
	IP  string `json:"ip,omitempty"`
	JA4 string `json:"ja4,omitempty"`
}

type ndjsonRequest struct {
	Method      string      `json:"method"`
	Scheme      string      `json:"scheme,omitempty"`
	Host        string      `json:"host,omitempty"`
	Path        string      `json:"path"`
	HTTPVersion string      `json:"http_version,omitempty"`
	Headers     [][2]string `json:"headers,omitempty"`
	BodyBytes   int64       `json:"body_bytes,omitempty"`
}

type ndjsonResponse struct {
	Status    int   `json:"status"`
	BodyBytes int64 `json:"body_bytes,omitempty"`
}

func exportedExchange(x *seshat.Assigned) *ndjsonExchange {
	out := &ndjsonExchange{
		ID: x.ID, Time: rfc3339(x.Time), DurationMS: milliseconds(x), Environment: x.Environment, Service: x.Service,
		Client: ndjsonClient{IP: exchangeIP(x), JA4: x.JA4},
		Request: ndjsonRequest{
			Method: x.Method, Scheme: x.Scheme, Host: x.Host, Path: x.Path, HTTPVersion: x.HTTPVersion, BodyBytes: x.RequestBytes,
		},
		TraceID: x.TraceID, Key: exchangeKey(x), SessionID: x.Session.String(), Endpoint: store.EndpointName(x.Observation),
		User: exchangeUser(x), Roles: parametersOf(x, seshat.ParameterRole), ClientSessionIDs: clientSessionIDs(x),
		Flows: exchangeFlows(x), Attributes: exchangeAttributes(x), Verdict: exportVerdict(x),
	}
	if x.UserAgent != "" {
		out.Request.Headers = [][2]string{{"User-Agent", x.UserAgent}}
	}
	if x.Status != 0 {
		out.Response = &ndjsonResponse{Status: x.Status, BodyBytes: x.ResponseBytes}
	}
	if id := groupingID(x); id != nil {
		out.Identifier = id.Name
	}
	return out
}

// exchangeAttributes are the client session IDs of session rules, masked, and the context parameters.
func exchangeAttributes(x *seshat.Assigned) map[string]string {
	out := map[string]string{}
	for i := range x.IDs {
		if id := &x.IDs[i]; !id.Rule.IsZero() && id.Masked != "" {
			out[seshat.AttributeName(id.Rule, id.Index)] = id.Masked
		}
	}
	for i := range x.Parameters {
		if p := &x.Parameters[i]; p.Value != "" {
			out[p.Name] = p.Value
		}
	}
	return out
}
