// Package editor is the parts of forms in which resources are written: scopes, places in an exchange, conditions,
// transformations. A form holds texts only, under names that are the paths of the fields of the resource, such as
// "spec.identifiers[0].extract.key.text", so that the faults of a resource are known by the controls that they are about.
//
// A draft lives in its form. What changes lists, such as a button that adds a condition, is a submit button whose value
// says so (see [Form.Do]): it works without scripts, and there is one way to do it.
package editor

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seshat-project/seshat"
)

// Form is a form as it is filled in. It is not safe for concurrent use.
type Form struct {
	// Values are the texts by the names of their controls.
	Values url.Values
	// Focus is the name of the control that has the focus when the form is shown; empty for none.
	Focus string
	// Said is what a change of a list did, for those who do not see it.
	Said string

	lost   []string                  // fields that the form cannot show as they are
	faults seshat.Faults             // of the texts themselves, and those that were found in what they say
	at     map[string][]seshat.Fault // by the name of the control
}

// New returns a form with the texts that were sent.
func New(values url.Values) *Form {
	if values == nil {
		values = url.Values{}
	}
	return &Form{Values: values}
}

// Get returns the text of a control.
func (f *Form) Get(name string) string { return f.Values.Get(name) }

// Has reports whether there is a control of that name.
func (f *Form) Has(name string) bool { return f.Values.Has(name) }

// Lost returns the fields of the resource that the form cannot show as they are: they have to be written as YAML.
func (f *Form) Lost() []string { return f.lost }

func (f *Form) lose(path string) { f.lost = append(f.lost, path) }

// PutLine fills in a control of one line. Browsers take line breaks out of it, and NUL out of everything.
func (f *Form) PutLine(name, text string) { f.put(name, text) }

func (f *Form) put(name, text string) {
	if strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) {
		f.lose(name)
	}
	f.Values.Set(name, text)
}

// PutText fills in a control of many lines that holds one text.
func (f *Form) PutText(name, text string) {
	if strings.ContainsAny(text, "\r\x00") || !utf8.ValidString(text) {
		f.lose(name)
	}
	f.Values.Set(name, text)
}

// Text reads a control of many lines. Browsers end lines in CR LF.
func (f *Form) Text(name string) string { return strings.ReplaceAll(f.Get(name), "\r\n", "\n") }

// PutLines fills in a control that holds a list of texts, one a line.
func (f *Form) PutLines(name string, list []string) {
	for _, text := range list {
		if text == "" || text != strings.TrimSpace(text) || strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) {
			f.lose(name)
		}
	}
	f.Values.Set(name, strings.Join(list, "\n"))
}

// Lines reads a list of texts. Empty lines, and spaces around texts, say nothing.
func (f *Form) Lines(name string) []string {
	var out []string
	for line := range strings.SplitSeq(f.Text(name), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// The texts of checkboxes.
const on = "on"

// suffixSaid marks a checkbox whose default was written down all the same: it stays so.
const suffixSaid = ".said"

// PutFlag fills in a checkbox of a field that is normal when it is not set.
func (f *Form) PutFlag(name string, value *bool, normal bool) {
	if value == nil && normal || value != nil && *value {
		f.Values.Set(name, on)
	}
	if value != nil && *value == normal {
		f.Values.Set(name+suffixSaid, on)
	}
}

// Flag reads a checkbox of a field that is normal when it is not set.
func (f *Form) Flag(name string, normal bool) *bool {
	value := f.Get(name) == on
	if value == normal && f.Get(name+suffixSaid) != on {
		return nil
	}
	return &value
}

// PutBool fills in a checkbox.
func (f *Form) PutBool(name string, value bool) {
	if value {
		f.Values.Set(name, on)
	}
}

// Bool reads a checkbox.
func (f *Form) Bool(name string) bool { return f.Get(name) == on }

// PutNumber fills in a number that may be missing.
func (f *Form) PutNumber(name string, n *int) {
	text := ""
	if n != nil {
		text = strconv.Itoa(*n)
	}
	f.put(name, text)
}

// Number reads a whole number that may be missing.
func (f *Form) Number(name string) *int {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		f.fault(name, "not a whole number", "such as 10 or -1")
		return nil
	}
	out := int(n)
	return &out
}

// PutDuration fills in a duration that may be missing.
func (f *Form) PutDuration(name string, d *seshat.Duration) {
	text := ""
	if d != nil {
		text = d.String()
		if again, err := seshat.ParseDuration(text); err != nil || again != *d {
			f.lose(name)
		}
	}
	f.put(name, text)
}

// Duration reads a duration that may be missing.
func (f *Form) Duration(name string) *seshat.Duration {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		return nil
	}
	d, err := seshat.ParseDuration(text)
	if err != nil {
		f.fault(name, "not a duration", `write it as in "30m", "1h30m" or "7d"`)
		return nil
	}
	return &d
}

// Lose says that the form cannot show a field as it is.
func (f *Form) Lose(path string) { f.lose(path) }
