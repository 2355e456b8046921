// Command trafficgen makes labelled HTTP traffic, for measuring how well sessions are found in traffic that nobody
// tuned anything to. The same flags always give the same bytes.
//
//	go run ./test/trafficgen -shape mixed -seed 7 -sessions 300 -o DIR
//
// It writes DIR/exchanges.ndjson.gz, in the NDJSON exchange format, and DIR/truth.csv, with the columns id, session, user
// and label. What a true session is, the README beside this file says.
package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "trafficgen:", err)
		os.Exit(1)
	}
}

// errUsage says that the flags are wrong, which has been said already.
var errUsage = errors.New("wrong usage")

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("trafficgen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	seed := flags.Uint64("seed", 1, "the random `seed`")
	sessions := flags.Int("sessions", 200, "how many sessions there are, at least (not for the shape shop)")
	name := flags.String("shape", "mixed", "the mix: "+shapeNames())
	pacing := flags.String("pace", "", "slow (hours) or fast (compressed), instead of the shape's own")
	folder := flags.String("o", "", "the `directory` to write to; made if need be (required)")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	if *folder == "" || flags.NArg() > 0 || *sessions < 1 {
		flags.Usage()
		return errUsage
	}
	rows, err := generate(*name, *pacing, *seed, *sessions)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*folder, 0o755); err != nil { //nolint:gosec // nothing in it is secret
		return err
	}
	if err := writeFile(filepath.Join(*folder, "exchanges.ndjson.gz"), func(w io.Writer) error { return writeExchanges(w, rows) }); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(*folder, "truth.csv"), func(w io.Writer) error { return writeTruth(w, rows) }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%d exchanges in %s\n", len(rows), *folder)
	return err
}

func generate(name, pacing string, seed uint64, sessions int) ([]row, error) {
	if name == shopName {
		return generateShop(seed), nil
	}
	for _, s := range shapes() {
		if s.name != name {
			continue
		}
		p := s.pace()
		switch pacing {
		case "":
		case "slow":
			p = slow()
		case "fast":
			p = fast()
		default:
			return nil, fmt.Errorf("there is no pace %q; use slow or fast", pacing)
		}
		g := newGenerator(seed, p)
		s.run(g, sessions)
		return g.finish(), nil
	}
	return nil, fmt.Errorf("there is no shape %q; use one of %s", name, shapeNames())
}

// writeExchanges writes the rows as compressed NDJSON. The compressed form has neither a name nor a time in it.
func writeExchanges(w io.Writer, rows []row) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	for i := range rows {
		line, err := rows[i].exchange.line()
		if err != nil {
			return err
		}
		if _, err := packed.Write(line); err != nil {
			return err
		}
	}
	return packed.Close()
}

func writeTruth(w io.Writer, rows []row) error {
	table := csv.NewWriter(w)
	if err := table.Write([]string{"id", "session", "user", "label"}); err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		if err := table.Write([]string{r.exchange.ID, r.session.id, r.session.user, string(r.label)}); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(name) //nolint:gosec // the caller names the directory
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}
