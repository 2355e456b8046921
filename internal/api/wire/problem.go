package wire

import (
	"errors"
	"net/http"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
)

// Problem is an error, after RFC 9457.
type Problem struct {
	Type   string `json:"type,omitempty" doc:"Identifies the kind of problem; about:blank when the status says it all."`
	Title  string `json:"title" doc:"What kind of problem it is."`
	Status int    `json:"status" doc:"The HTTP status."`
	Detail string `json:"detail,omitempty" doc:"What is wrong with this request."`
	// Instance identifies the occurrence in the log of the server. Problems of kind internal have one.
	Instance string `json:"instance,omitempty" doc:"Identifies this occurrence in the server's log."`

	Kind string `json:"kind,omitempty" enum:"internal,invalid,usage,not-found,conflict,unavailable,unsupported" doc:"The kind of error."`
	Op   string `json:"op,omitempty" doc:"The operation and what it was about."`
	Hint string `json:"hint,omitempty" doc:"What to do about it."`
	// Column is where a filter is wrong.
	Column int     `json:"column,omitempty" doc:"Where a filter is wrong: the character, from 1."`
	Faults []Fault `json:"faults,omitempty" doc:"Everything that is wrong with the resources."`
	Errors []Wrong `json:"errors,omitempty" doc:"What is wrong with parameters or members of the body."`

	// RetryAfter is the field Retry-After of the answer, in seconds, where clients read it.
	RetryAfter int `json:"-"`
}

// Wrong is one thing that is wrong with a request. It does not hold the value, which may be a secret.
type Wrong struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"Such as query.limit or body.reason."`
}

// Fault is one thing that is wrong with resources.
type Fault struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Field   string `json:"field,omitempty" doc:"Such as spec.identifiers[1].extract.key.matches."`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Failure is the last line of a stream that could not be finished.
type Failure struct {
	Problem *Problem `json:"problem"`
}

// kinds are the kinds of errors with their names and statuses: the one place that maps them.
var kinds = [...]struct {
	name   string
	status int
}{
	seshat.ErrorInternal:    {"internal", http.StatusInternalServerError},
	seshat.ErrorInvalid:     {"invalid", http.StatusUnprocessableEntity},
	seshat.ErrorUsage:       {"usage", http.StatusBadRequest},
	seshat.ErrorNotFound:    {"not-found", http.StatusNotFound},
	seshat.ErrorConflict:    {"conflict", http.StatusConflict},
	seshat.ErrorUnavailable: {"unavailable", http.StatusServiceUnavailable},
	seshat.ErrorUnsupported: {"unsupported", http.StatusNotImplemented},
}

// StatusOf is the HTTP status of errors of a kind.
func StatusOf(kind seshat.ErrorKind) int {
	if int(kind) < len(kinds) {
		return kinds[kind].status
	}
	return http.StatusInternalServerError
}

func kindName(kind seshat.ErrorKind) string {
	if int(kind) < len(kinds) {
		return kinds[kind].name
	}
	return kinds[seshat.ErrorInternal].name
}

func kindOf(name string) (seshat.ErrorKind, bool) {
	for kind := range kinds {
		if kinds[kind].name == name {
			return seshat.ErrorKind(kind), true
		}
	}
	return seshat.ErrorInternal, false
}

// NewProblem is what a client is told of err. Of an internal error that is nothing but that there was one.
func NewProblem(err error) *Problem {
	var whole *Problem
	if errors.As(err, &whole) {
		return whole
	}
	kind := seshat.KindOfError(err)
	p := &Problem{Status: StatusOf(kind), Title: http.StatusText(StatusOf(kind)), Kind: kindName(kind)}
	if kind == seshat.ErrorInternal {
		p.Detail = "Something went wrong in the server. Its log says what."
		return p
	}
	var bad *filter.Error
	var faults seshat.Faults
	var known *seshat.Error
	switch {
	case errors.As(err, &bad):
		p.Detail, p.Hint, p.Column, p.Op = bad.Message, bad.Hint, bad.Column, "filter"
		p.Status, p.Title, p.Kind = http.StatusBadRequest, http.StatusText(http.StatusBadRequest), kindName(seshat.ErrorUsage)
	case errors.As(err, &faults):
		p.Detail = "The resources have faults."
		for _, f := range faults {
			p.Faults = append(p.Faults, Fault(f))
		}
	case errors.As(err, &known):
		p.Op, p.Hint = known.Op, known.Hint
		if known.Err != nil {
			p.Detail = known.Err.Error()
		}
	}
	return p
}

// Error implements error.
func (p *Problem) Error() string { return p.Err().Error() }

// Unwrap makes the kind of error known to those who ask for it.
func (p *Problem) Unwrap() error { return p.Err() }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of problems.
func (p *Problem) ContentType(string) string { return ProblemJSON }

// Err is the error that the problem tells of, as it was in the server.
func (p *Problem) Err() error {
	if len(p.Faults) > 0 {
		faults := make(seshat.Faults, len(p.Faults))
		for i, f := range p.Faults {
			faults[i] = seshat.Fault(f)
		}
		return faults
	}
	kind, known := kindOf(p.Kind)
	if !known {
		kind = kindOfStatus(p.Status)
	}
	text := p.Detail
	if text == "" && p.Op == "" {
		text = p.Title
	}
	for _, wrong := range p.Errors {
		text += "; " + wrong.Location + ": " + wrong.Message
	}
	e := &seshat.Error{Kind: kind, Op: p.Op, Hint: p.Hint}
	if text != "" {
		e.Err = errors.New(text)
	}
	return e
}

// kindOfStatus is the kind of an error that says no more than its status, such as one of a proxy.
func kindOfStatus(status int) seshat.ErrorKind {
	switch status {
	case http.StatusNotFound:
		return seshat.ErrorNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return seshat.ErrorConflict
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return seshat.ErrorUnavailable
	}
	if status >= http.StatusInternalServerError {
		return seshat.ErrorInternal
	}
	return seshat.ErrorInvalid
}
