// Package audit keeps the log of who did what: every change, every sign-in, and whoever looked at or took away more of the
// traffic than a page shows. What cannot be written there is not done. It is in a key-value store, so that it survives, is
// the same in all processes, and is bounded. See docs/accounts.md and docs/formats/audit.md.
package audit

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/seshat-project/seshat/internal/kv"
)

// Means is how somebody showed who they are.
type Means string

// The means.
const (
	MeansNone     Means = ""         // nobody is signed in: attempts to
	MeansConsole  Means = "console"  // a session of the console
	MeansToken    Means = "token"    // an API token
	MeansProvider Means = "provider" // what an OpenID provider says of somebody who signs in
	MeansOwner    Means = "owner"    // the owner of the data directory, by the token of the instance or a link of theirs
)

// Outcome is what became of it.
type Outcome string

// The outcomes.
const (
	// Begun is written before anything is done. Where it stays, the process ended meanwhile: it may have been done.
	Begun   Outcome = "begun"
	Done    Outcome = "done"
	Refused Outcome = "refused" // by a rule: nothing was done
	Failed  Outcome = "failed"  // something went wrong; a part may have been done
)

// Event is one entry of the log. It never holds a secret.
type Event struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	By      string    `json:"by,omitempty"` // the user, or the person the owner of the data directory acts for
	Means   Means     `json:"means,omitempty"`
	Token   string    `json:"token,omitempty"` // the name of the API token
	Address string    `json:"address,omitempty"`
	Action  string    `json:"action"` // such as "resource.apply"
	Subject string    `json:"subject,omitempty"`
	// Before and After are revisions of the subject, where it has some.
	Before  uint64  `json:"before,omitempty"`
	After   uint64  `json:"after,omitempty"`
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
}

// The bounds of texts in an event, in bytes. What is longer is cut: it may come from anybody.
const (
	maxBy      = 256
	maxAction  = 64
	maxSubject = 512
	maxDetail  = 512
)

// clean bounds the texts of an event.
func (e *Event) clean() {
	e.By, e.Token, e.Address = cut(e.By, maxBy), cut(e.Token, maxBy), cut(e.Address, maxBy)
	e.Action, e.Subject, e.Detail = cut(e.Action, maxAction), cut(e.Subject, maxSubject), cut(e.Detail, maxDetail)
}

// cut returns the beginning of a text, as something that can be printed in one line.
func cut(text string, most int) string {
	if len(text) > most {
		text = text[:most]
	}
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// formatVersion is the version of an entry as it is stored.
const formatVersion = 1

type record struct {
	Version int `json:"version"`
	Event
}

var errFormat = errors.New("its format is of another version, or it is not under its own key")

func encode(e *Event) ([]byte, error) { return json.Marshal(record{formatVersion, *e}) }

func decode(prefix string) func(kv.Entry) (*Event, error) {
	return func(entry kv.Entry) (*Event, error) {
		var r record
		if err := json.Unmarshal(entry.Value, &r); err != nil {
			return nil, errors.New("it is not the JSON that it should be")
		}
		if r.Version != formatVersion || prefix+r.ID != entry.Key {
			return nil, errFormat
		}
		return &r.Event, nil
	}
}
