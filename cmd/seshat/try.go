package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/detect"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/resource"
)

const tryHelp = `Try runs a draft of resources against traffic before it is saved, and says what it would do: how many exchanges a rule
finds something in, and why not in the others; the sessions there would be in place of those there are; what is wrong with
the values, such as one that several users share, or a new one for each request. Of context parameters, flows, mask rules
and limits it says what they would keep, mark, remove and limit. Nothing is stored, and nothing changes. Values are masked.

A running instance keeps the last exchanges in memory; see recent in seshat.yaml. --exchanges tries the draft on a recording
instead, here, with or without an instance: HAR, NDJSON or an access log, - is standard input.

The exit code is 0 also when there are warnings: whether they matter is for you to say.`

type tryOptions struct {
	resourceFiles
	remove    []string
	exchanges string
	log       string
	limit     int
	format    string
}

func (a *app) tryCommand() *cobra.Command {
	var o tryOptions
	cmd := &cobra.Command{
		Use:   "try -f FILE",
		Short: "Try a draft of resources on recent traffic",
		Long:  tryHelp,
		Example: `  seshat try -f rules.yaml
  seshat try -f rules.yaml --exchanges traffic.har
  seshat try --remove sessionrule/shop
  seshat get sessionrule shop -o yaml | sed s/SESSID/SID/ | seshat try -f - --format json | jq .verdict`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = append(o.files, args...)
			return a.try(cmd.Context(), &o)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringArrayVar(&o.remove, "remove", nil, "a `resource` to leave out, such as sessionrule/shop; may be repeated")
	cmd.Flags().StringVar(&o.exchanges, "exchanges", "", "`file` with a recording to try it on, in place of what the instance saw last")
	cmd.Flags().StringVar(&o.log, "log-format", "", "`format` of an access log in --exchanges, as of seshat import")
	completeFlag(cmd, "log-format", accesslog.Formats()...)
	cmd.Flags().IntVar(&o.limit, "limit", defaultTried, "how many exchanges to try it on at most")
	formatFlag(cmd, &o.format, "text", "json")
	return cmd
}

// defaultTried is as many as an instance keeps, and mostTried what an instance takes.
const (
	defaultTried = 5_000
	mostTried    = 20_000
)

func (a *app) try(ctx context.Context, o *tryOptions) error {
	if err := checkFormat(o.format, "text", "json"); err != nil {
		return err
	}
	switch {
	case o.limit < 1 || o.limit > mostTried:
		return usageError("--limit", "it is not from 1 to 20000", "")
	case o.log != "" && o.exchanges == "":
		return usageError("--log-format", "it is about a recording", "name one with --exchanges")
	}
	var add []resource.Parsed
	if len(o.files) > 0 || len(o.remove) == 0 {
		var err error
		if add, err = a.readResources(o.files); err != nil {
			return err
		}
	}
	// That a resource is there twice is known from the files alone.
	if faults := resource.Validate(add, func([]seshat.Resource) seshat.Faults { return nil }); len(faults) > 0 {
		return faults
	}
	remove, err := keysOf(o.remove)
	if err != nil {
		return err
	}
	var out *wire.Preview
	if o.exchanges != "" {
		out, err = a.tryHere(ctx, o, add, remove)
	} else {
		out, err = a.tryThere(ctx, o, add, remove)
	}
	if err != nil {
		return err
	}
	if o.format == "json" {
		return a.writeJSON(out)
	}
	return a.writePreview(out)
}

// keysOf are the keys of resources as people name them.
func keysOf(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		kindName, one, found := cutName(name)
		if !found {
			return nil, usageError("--remove", `"`+name+`" names no resource`, "such as sessionrule/shop")
		}
		kind, err := parseKind(kindName)
		if err != nil {
			return nil, err
		}
		out = append(out, resource.Key(kind, one))
	}
	return out, nil
}

// tryHere tries a draft on a recording, by the rules of the data directory or of the instance that has it.
func (a *app) tryHere(ctx context.Context, o *tryOptions, add []resource.Parsed, remove []string) (*wire.Preview, error) {
	in := &preview.Input{Add: resource.Resources(add), Remove: remove, Digester: a.newKey(), ShowValues: true}
	if a.hasResources() {
		err := a.withRegistry(ctx, func(r *registry) error {
			all, err := r.List(ctx, "")
			for i := range all {
				in.InForce = append(in.InForce, *all[i].Resource)
			}
			return err
		})
		if err != nil {
			return nil, registryError("list the resources", err)
		}
	}
	file := a.stdin
	if o.exchanges != "-" {
		opened, err := os.Open(o.exchanges)
		if err != nil {
			return nil, readError(o.exchanges, err)
		}
		defer func() { _ = opened.Close() }() // it was only read
		file = opened
	}
	list, skipped, err := readExchanges(ctx, o.exchanges, file, detect.Options{LogFormat: o.log}, o.limit)
	if err != nil {
		return nil, err
	}
	in.Exchanges = list
	report, err := tryDraft(ctx, in, add)
	if err != nil {
		return nil, err
	}
	return &wire.Preview{Source: givenSource(list, skipped), Report: *report}, nil
}

// tryThere tries a draft on what the running instance saw last.
func (a *app) tryThere(ctx context.Context, o *tryOptions, add []resource.Parsed, remove []string) (out *wire.Preview, err error) {
	c, err := a.running(ctx, lockWait)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "try the draft", Err: errors.New("no instance is running here, which would have seen traffic"),
			Hint: "try it on a recording with --exchanges FILE",
		}
	}
	defer func() { _ = c.Close() }()
	return a.tryThrough(ctx, c, o, add, remove)
}

func (a *app) tryThrough(ctx context.Context, c *client.Client, o *tryOptions, add []resource.Parsed, remove []string) (*wire.Preview, error) {
	draft := &wire.PreviewRequest{Remove: remove, Limit: o.limit}
	for i := range add {
		text, err := resource.Marshal([]seshat.Resource{add[i].Resource}, resource.FormatJSON)
		if err != nil {
			return nil, err
		}
		draft.Resources = append(draft.Resources, text)
	}
	out, err := c.Preview(ctx, draft)
	var faults seshat.Faults
	if errors.As(err, &faults) {
		return nil, locateFaults(faults, add)
	}
	return out, err
}

// locateFaults moves faults from the resources that were sent to the files that they were read from.
func locateFaults(faults seshat.Faults, add []resource.Parsed) seshat.Faults {
	out := make(seshat.Faults, len(faults))
	for i, fault := range faults {
		for j := range add {
			if fault.File == resourceName(j) {
				fault.File = add[j].File
				fault.Line, fault.Column = add[j].Place(fault.Field)
			}
		}
		out[i] = fault
	}
	return out
}
