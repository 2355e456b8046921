package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/store"
)

type exportInput struct {
	RevealInput
	Dataset string `path:"dataset" enum:"sessions,exchanges"`
	Format  string `query:"format" required:"true" enum:"parquet,csv,ndjson,har"`
	Filter  string `query:"filter" maxLength:"8192" doc:"An expression of the filter language."`
	Since   string `query:"since" maxLength:"64" doc:"From when: a time (RFC 3339), or a length of time before now."`
	Until   string `query:"until" maxLength:"64"`
	Order   string `query:"order" enum:"newest,oldest"`
	Now     string `query:"now" maxLength:"64" doc:"As of lists."`
	Session string `query:"session" maxLength:"36" doc:"Narrows exchanges to one session."`
	Limit   int    `query:"limit" minimum:"0" maximum:"1000000000" doc:"0 is no limit."`
}

func (s *server) registerExports() {
	op := s.operation("GET", "/api/v1/exports/{dataset}", "export", tagExchanges, "Export sessions or exchanges as a file")
	op.Description += " Parquet and CSV hold client session IDs as they are stored, and need exchanges:reveal too; of the others those that are stored in clear are masked unless reveal=true."
	op.Responses["200"] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{
		wire.Parquet: {}, wire.CSV: {}, wire.NDJSON: {}, wire.HAR: {},
	}}
	register(s, op, s.export)
}

func (s *server) export(_ context.Context, in *exportInput) (*huma.StreamResponse, error) {
	fields, what := filter.Exchanges(), store.Dataset(in.Dataset)
	if what == store.DatasetSessions {
		fields = filter.Sessions()
	}
	list := ListInput{Accept: wire.NDJSON, Filter: in.Filter, Since: in.Since, Until: in.Until, Now: in.Now, Order: in.Order, Limit: in.Limit}
	asked, err := list.query(fields, s.Now())
	if err != nil {
		return nil, err
	}
	q := asked.Query
	if in.Session != "" {
		if q.Session, err = parseSession(in.Session); err != nil {
			return nil, err
		}
	}
	if in.Format == "har" && what == store.DatasetSessions {
		return nil, usage("format", "a HAR holds exchanges", "export exchanges")
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		_, w := humago.Unwrap(c)
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", in.Dataset+"."+in.Format))
		var err error
		switch in.Format {
		case "parquet", "csv":
			err = s.exportFile(c.Context(), w, what, in.Format, q)
		default:
			err = s.exportStream(c.Context(), w, what, in.Format, q)
		}
		if err != nil {
			w.Header().Del("Content-Disposition")
			s.failed(c, s.problem(c.Context(), err))
		}
	}}, nil
}

// exportFile sends a file that the store writes.
func (s *server) exportFile(ctx context.Context, w http.ResponseWriter, what store.Dataset, format string, q store.Query) error {
	reader, err := s.reader(ctx)
	if err != nil {
		return err
	}
	if s.TempDir != "" {
		if err := os.MkdirAll(s.TempDir, 0o700); err != nil {
			return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "export", Err: errors.New("no temporary directory can be made")}
		}
	}
	dir, err := os.MkdirTemp(s.TempDir, "export-*") // the owner's alone
	if err != nil {
		return &seshat.Error{Kind: seshat.ErrorUnavailable, Op: "export", Err: errors.New("no temporary directory can be made")}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "export."+format)
	rows, err := reader.Export(ctx, what, format, q, path)
	if err != nil {
		return err
	}
	file, err := os.Open(path) //nolint:gosec // it was just made
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", map[string]string{"parquet": wire.Parquet, "csv": wire.CSV}[format])
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	w.Header().Set(wire.RowsHeader, strconv.FormatInt(rows, 10))
	w.WriteHeader(http.StatusOK)
	if _, err := io.Copy(patient(w), file); err != nil {
		panic(http.ErrAbortHandler) // the answer has begun: the client must not take it for whole
	}
	return nil
}

// exportStream sends what is written as it is read.
func (s *server) exportStream(ctx context.Context, w http.ResponseWriter, what store.Dataset, format string, q store.Query) error {
	if s.Archive == nil {
		return unavailable("export as " + format)
	}
	reader, err := s.reader(ctx)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", map[string]string{"ndjson": wire.NDJSON, "har": wire.HAR}[format])
	out := patient(w)
	if _, err := s.Archive(ctx, reader, what, format, q, out); err != nil {
		if out.written {
			s.Logger.WarnContext(ctx, "an export broke off", "dataset", string(what), "format", format, "error", err)
			panic(http.ErrAbortHandler)
		}
		return err
	}
	return nil
}

func unavailable(op string) error {
	return &seshat.Error{Kind: seshat.ErrorUnsupported, Op: op, Err: errors.New("this instance does not do that")}
}

// patientWriter gives the client time for every piece, not for all of them.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	written bool
}

func patient(w http.ResponseWriter) *patientWriter {
	return &patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}
}

// Write implements [io.Writer].
func (p *patientWriter) Write(b []byte) (int, error) {
	p.written = true
	_ = p.control.SetWriteDeadline(time.Now().Add(idleWrite))
	return p.ResponseWriter.Write(b)
}
