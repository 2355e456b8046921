package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

const (
	// optionsPart is the name of the first part of an import, filePart that of the others.
	optionsPart = "options"
	filePart    = "file"
	// maxOptions is how many bytes the options may have: ten thousand names of files.
	maxOptions = 4 << 20
	// maxInputs is how many files one import may have: more than a command line names. Each has a line in the answer.
	maxInputs = 10_000
	// maxPlace is how many bytes the names of an environment and a service may have.
	maxPlace = 256
	// idleRead is how long the next bytes of an import may take. A person may be typing them.
	idleRead = 15 * time.Minute
)

func (s *server) registerImports() {
	op := s.operation("POST", "/api/v1/imports", "import", tagImports, "Import recorded traffic")
	op.Description += " The body is multipart/form-data: a part options (JSON), then a part file for each input, in the order of their names in options, which is the order of the alphabet. " +
		"The answer begins at once and is one JSON value a line: progress, what is wrong, and at last the summary."
	op.Responses["200"] = s.described("What happens during the import, one a line.", wire.NDJSON, reflect.TypeFor[wire.ImportEvent]())
	register(s, op, func(context.Context, *Authored) (*huma.StreamResponse, error) {
		if s.Import == nil {
			return nil, unavailable("import")
		}
		return &huma.StreamResponse{Body: s.serveImport}, nil
	})
	s.takes("POST", "/api/v1/imports", &huma.RequestBody{Content: map[string]*huma.MediaType{"multipart/form-data": {
		Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{optionsPart, filePart}, Properties: map[string]*huma.Schema{
			optionsPart: s.schema(reflect.TypeFor[wire.ImportOptions]()),
			filePart:    {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}},
	}}})
}

func (s *server) serveImport(c huma.Context) {
	r, w := humago.Unwrap(c)
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 is so anyway
	// What is left of the body when the answer is complete would be read by two at once, were the connection used again:
	// net/http panics then ("invalid concurrent Body.Read call").
	w.Header().Set("Connection", "close")
	ctx, broken := context.WithCancelCause(c.Context())
	defer broken(nil)
	body := &patientReader{Reader: r.Body, control: control, broken: broken}
	options, parts, err := readOptions(r, body)
	if err != nil {
		s.failed(c, s.problem(c.Context(), err))
		return
	}
	run := &ImportRun{Options: *options, By: author(c.Context(), r.Header.Get(wire.AuthorHeader))}
	run.Inputs = inputsOf(options.Inputs, parts)
	out := newLines(w)
	out.flush()
	var writing sync.Mutex
	run.Report = func(e *wire.ImportEvent) {
		writing.Lock()
		defer writing.Unlock()
		out.write(e)
		if e.Event == wire.ImportProgress {
			out.flush() // a bar that stands still says that nothing happens
		}
	}
	summary, err := s.Import(ctx, run)
	writing.Lock()
	defer writing.Unlock()
	if err != nil {
		out.end(s.problem(c.Context(), err))
		return
	}
	out.write(&wire.ImportEvent{Event: wire.ImportDone, Summary: &summary})
	out.end(nil)
}

// readOptions reads the first part of an import.
func readOptions(r *http.Request, body io.Reader) (*wire.ImportOptions, *multipart.Reader, error) {
	invalid := func(what string) error {
		return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "import", Err: errors.New(what), Hint: "see docs/api.md"}
	}
	whole := *r
	whole.Body = io.NopCloser(body)
	parts, err := whole.MultipartReader()
	if err != nil {
		return nil, nil, invalid("the body is not multipart/form-data")
	}
	part, err := parts.NextPart()
	if err != nil || part.FormName() != optionsPart {
		return nil, nil, invalid("its first part is not called " + optionsPart)
	}
	text, err := io.ReadAll(io.LimitReader(part, maxOptions+1))
	if err != nil || len(text) > maxOptions {
		return nil, nil, invalid("the options cannot be read")
	}
	var options wire.ImportOptions
	if err := json.Unmarshal(text, &options); err != nil {
		return nil, nil, invalid("the options are not the JSON that they should be")
	}
	switch {
	case len(options.Inputs) == 0:
		return nil, nil, invalid("the options name no inputs")
	case len(options.Inputs) > maxInputs:
		return nil, nil, invalid(fmt.Sprintf("the options name more than %d inputs", maxInputs))
	case len(options.Environment) > maxPlace || len(options.Service) > maxPlace:
		return nil, nil, invalid(fmt.Sprintf("the environment or the service has more than %d bytes", maxPlace))
	}
	return &options, parts, nil
}

// inputsOf are the inputs that the parts of a body hold. Each is read from the network when it is its turn.
func inputsOf(names []string, parts *multipart.Reader) []ImportInput {
	at := -1 // the part that was opened last
	out := make([]ImportInput, len(names))
	for i, name := range names {
		out[i] = ImportInput{Name: name, Open: func() (io.Reader, error) {
			fail := func(what string) error {
				return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + name, Err: errors.New(what)}
			}
			if at >= i {
				return nil, fail("the inputs are not in the order of their names")
			}
			for {
				part, err := parts.NextPart()
				if err != nil {
					return nil, fail("the body ended before it")
				}
				if part.FormName() != filePart {
					return nil, fail(fmt.Sprintf("there is a part %q", part.FormName()))
				}
				if at++; at == i {
					return part, nil
				}
			}
		}}
	}
	return out
}

var errBroken = errors.New("the import was given up by the client")

// patientReader gives the client time for every piece of a body, not for all of them.
type patientReader struct {
	io.Reader
	control *http.ResponseController
	broken  context.CancelCauseFunc
}

// Read implements [io.Reader].
func (p *patientReader) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(idleRead))
	n, err := p.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.broken(errBroken) // whoever sends it gave up: half of a file is not to be imported
	}
	return n, err
}
