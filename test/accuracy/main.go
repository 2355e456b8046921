// Command accuracy scores a grouping of exchanges into sessions against a labelled truth.
//
//	seshat explore --columns id,session_id,origin --format csv --limit 0 --since all > predicted.csv
//	go run ./test/accuracy -truth truth.csv -predicted predicted.csv -exchanges exchanges.ndjson.gz
package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/seshat-project/seshat/internal/accuracy"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}

// errUsage says that the flags are wrong, which has been said already.
var errUsage = errors.New("wrong usage")

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	flags.SetOutput(stderr)
	truth := flags.String("truth", "", "CSV `file` with id, session, user and label (required)")
	predicted := flags.String("predicted", "", "CSV `file` with id, session_id and, if there, origin or identified_by (required)")
	exchanges := flags.String("exchanges", "", "NDJSON `file` of the exchanges, for the scores of each service")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	minimum := flags.Float64("min-f1", 0, "fail when B-cubed F1 is below this")
	maxMixed := flags.Int("max-mixed", -1, "fail when more sessions than this mix users with an account; -1 is no limit")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	if *truth == "" || *predicted == "" || flags.NArg() > 0 {
		flags.Usage()
		return errUsage
	}

	var in accuracy.Input
	if err := readFile(*truth, func(r io.Reader) (err error) { in.Truth, err = accuracy.ReadTruth(r); return err }); err != nil {
		return err
	}
	if err := readFile(*predicted, func(r io.Reader) (err error) { in.Prediction, err = accuracy.ReadPredictions(r); return err }); err != nil {
		return err
	}
	if *exchanges != "" {
		if err := readFile(*exchanges, func(r io.Reader) (err error) { in.Service, err = accuracy.ReadServices(r); return err }); err != nil {
			return err
		}
	}
	report := accuracy.Evaluate(in)
	if err := write(stdout, &report, *asJSON); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if report.BCubed.F1 < *minimum {
		return fmt.Errorf("the B-cubed F1 of %.3f is below %.3f", report.BCubed.F1, *minimum)
	}
	if *maxMixed >= 0 && report.MixedSignedIn > *maxMixed {
		return fmt.Errorf("%d sessions mix users with an account, more than %d", report.MixedSignedIn, *maxMixed)
	}
	return nil
}

func write(w io.Writer, report *accuracy.Report, asJSON bool) error {
	if !asJSON {
		return report.WriteText(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// readFile opens name, unpacks it if its name ends in .gz, and hands it to read.
func readFile(name string, read func(io.Reader) error) (err error) {
	file, err := os.Open(name) //nolint:gosec // the caller names the file
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var r io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := read(r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
