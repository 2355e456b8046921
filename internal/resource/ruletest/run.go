package ruletest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/resource/preset"
	"github.com/seshat-project/seshat/internal/rule"
)

// Options are what running tests needs from outside.
type Options struct {
	// ReadFile reads a file; os.ReadFile when it is nil.
	ReadFile func(name string) ([]byte, error)
	// Hasher makes the digests of the "hash" transformation. Tests cannot rely on its values.
	Hasher identify.Hasher
	// Correlate returns the session of each exchange. Tests of sequences are skipped when it is nil.
	Correlate func(rules *rule.Ruleset, exchanges []seshat.Exchange) ([]seshat.SessionID, error)
}

// Report is what running one file of tests found.
type Report struct {
	File string
	// Faults are what is wrong with the file itself, or with the rules it names. No test was run then.
	Faults  seshat.Faults
	Results []Result
}

// Result is what became of one test.
type Result struct {
	Name string
	Line int
	// Skipped says why the test was not run; it is empty for one that was.
	Skipped  string
	Failures []Failure
}

// Passed reports whether the test was run and found nothing wrong.
func (r *Result) Passed() bool { return r.Skipped == "" && len(r.Failures) == 0 }

// Failure is one expectation that did not come true.
type Failure struct {
	File         string
	Line, Column int    // of the expectation
	Field        string // its path, such as "want.user"
	Want, Got    string
	// Because is how identification came to what it got.
	Because string
}

func (f Failure) String() string {
	return fmt.Sprintf("%s:%d:%d: %s: want %s, got %s", f.File, f.Line, f.Column, f.Field, f.Want, f.Got)
}

// OK reports whether the file is good and no test failed. Skipped tests are no failures.
func (r *Report) OK() bool {
	for i := range r.Results {
		if len(r.Results[i].Failures) > 0 {
			return false
		}
	}
	return len(r.Faults) == 0
}

// Run runs the tests in the file called name.
func Run(name string, o Options) Report {
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	r := runner{file: name, options: o}
	report := Report{File: name}
	if report.Faults = r.load(); len(report.Faults) > 0 {
		return report
	}
	for i := range r.tests.Tests {
		result, faults := r.run(i)
		report.Results = append(report.Results, result)
		report.Faults = append(report.Faults, faults...)
	}
	return report
}

// runner runs the tests of one file.
type runner struct {
	file     string
	options  Options
	tests    file
	document *resource.Document
	rules    *rule.Ruleset
	engine   *identify.Engine
}

// load reads the tests and compiles the rules they name.
func (r *runner) load() seshat.Faults {
	data, err := r.options.ReadFile(r.file)
	if err != nil {
		return seshat.Faults{{File: r.file, Message: "cannot be read: " + reason(err)}}
	}
	document, faults := resource.Decode(r.file, data, &r.tests)
	if len(faults) > 0 {
		return faults
	}
	r.document = document
	parsed, faults := r.resources()
	if len(faults) > 0 {
		return faults
	}
	faults = resource.Validate(parsed, func(resources []seshat.Resource) seshat.Faults {
		var faults seshat.Faults
		r.rules, faults = rule.Compile(resources)
		return faults
	})
	if len(faults) > 0 {
		return faults
	}
	r.engine = identify.New(r.rules, r.options.Hasher)
	return nil
}

// reason is an error of reading a file without the name of the file, which the fault says.
func reason(err error) string {
	text := err.Error()
	if at := strings.LastIndex(text, ": "); at >= 0 {
		return text[at+2:]
	}
	return text
}

// resources reads everything that the file names.
func (r *runner) resources() ([]resource.Parsed, seshat.Faults) {
	var out []resource.Parsed
	var faults seshat.Faults
	for i, name := range r.tests.Rules {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(r.file), name)
		}
		data, err := r.options.ReadFile(name)
		if err != nil {
			faults = append(faults, r.fault(fmt.Sprintf("rules[%d]", i), name+" cannot be read: "+reason(err), "paths are relative to this file"))
			continue
		}
		parsed, more := resource.Parse(name, data)
		out, faults = append(out, parsed...), append(faults, more...)
	}
	for i, name := range r.tests.Presets {
		parsed, err := preset.Parse(name)
		if err != nil {
			faults = append(faults, r.fault(fmt.Sprintf("presets[%d]", i), fmt.Sprintf("there is no preset %q", name), "seshat presets lists them"))
			continue
		}
		out = append(out, parsed...)
	}
	for i, res := range r.tests.Resources {
		out = append(out, r.document.Parsed(res, fmt.Sprintf("resources[%d]", i)))
	}
	return out, faults
}

// fault is something wrong with the file of tests.
func (r *runner) fault(field, message, hint string) seshat.Fault {
	line, column := r.document.Place(field)
	return seshat.Fault{File: r.file, Line: line, Column: column, Field: field, Message: message, Hint: hint}
}

// run runs the test at index i.
func (r *runner) run(i int) (Result, seshat.Faults) {
	t := &r.tests.Tests[i]
	path := fmt.Sprintf("tests[%d]", i)
	line, _ := r.document.Place(path)
	result := Result{Name: t.Name, Line: line}
	switch {
	case t.Exchange != nil && t.Exchanges != nil:
		return result, seshat.Faults{r.fault(path, "has both exchange and exchanges", "keep one of the two")}
	case t.Exchange != nil && t.Sessions != nil:
		return result, seshat.Faults{r.fault(path+".sessions", "needs exchanges", "")}
	case t.Exchange != nil:
		return r.runExchange(t, path, result)
	case t.Exchanges != nil && t.Sessions != nil:
		return r.runSequence(t, path, result)
	default:
		return result, seshat.Faults{r.fault(path, "has nothing to test", "it needs an exchange, or exchanges with sessions")}
	}
}

// runExchange runs a test of one exchange.
func (r *runner) runExchange(t *test, path string, result Result) (Result, seshat.Faults) {
	x, field, err := t.Exchange.build(0)
	if err != nil {
		return result, seshat.Faults{r.fault(path+".exchange."+field, err.Error(), "")}
	}
	var id seshat.Identity
	worker := r.engine.NewWorker()
	worker.Identify(&x, &id)
	c := checker{runner: r, test: path, id: &id}
	c.want(&t.Want)
	c.forbid(&t.Forbid)
	result.Failures = c.failures
	if len(result.Failures) > 0 {
		explanation := r.engine.NewWorker().Explain(&x)
		var text strings.Builder
		if err := explanation.WriteText(&text); err != nil {
			return result, seshat.Faults{r.fault(path, err.Error(), "")}
		}
		for i := range result.Failures {
			result.Failures[i].Because = text.String()
		}
	}
	return result, nil
}
