package manage

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/client"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// maxRows is how many resources a list shows at once: what somebody may read. A search finds the others; installations have
// up to 10,000 of a kind.
const maxRows = 200

// listed is a list as it is shown.
type listed struct {
	rows   []resource.Stored
	all    int // how many there are
	found  int // how many of them the search found
	search string
	with   any
}

func (p *Pages) list(q *web.Request) error {
	all, err := q.API.Registry().List(q.Context(), p.Kind)
	if err != nil {
		return err
	}
	view := listed{all: len(all), search: strings.TrimSpace(q.Param("q"))}
	view.rows = find(all, view.search)
	view.found = len(view.rows)
	view.rows = view.rows[:min(len(view.rows), maxRows)]
	if p.With != nil {
		if view.with, err = p.With(q, view.rows); err != nil {
			return err
		}
	}
	page := ui.Page{Title: capital(p.Many), Heading: p.Group, Subtitle: p.Intro, Section: p.Section, Scripts: p.Scripts, Styles: append([]string{"manage.css"}, p.Styles...), Actions: newButton(p)}
	return q.Page(page, listPage(p, &view))
}

// find returns the resources that have every word of a search in their name, description or content.
func find(all []resource.Stored, search string) []resource.Stored {
	words := strings.Fields(strings.ToLower(search))
	if len(words) == 0 {
		return all
	}
	var out []resource.Stored
	for i := range all {
		text := ""
		if r := all[i].Resource; r != nil {
			yaml, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatYAML)
			if err == nil {
				text = strings.ToLower(string(yaml))
			}
		}
		if !contains(text, words) {
			continue
		}
		out = append(out, all[i])
	}
	return out
}

func contains(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// enable switches a resource on or off.
func (p *Pages) enable(q *web.Request) error {
	name, on := q.PathValue("name"), q.PostFormValue("enabled") == "true"
	outcome, err := q.API.Registry().Enable(q.Context(), p.Kind, name, on, RevisionOf(q))
	back := p.List
	if q.PostFormValue("back") == "item" {
		back = p.At(name)
	}
	switch {
	case errors.Is(err, kv.ErrConflict):
		return q.Refused(back, "Not switched: "+name+" has changed meanwhile. This is how it is now.")
	case err != nil:
		return p.unable(q, missing(err))
	}
	text := name + " is switched off."
	if on {
		text = name + " is in force."
	}
	if outcome.Action == resource.ActionUnchanged {
		text = ""
	}
	return q.Done(back, text)
}

// RevisionOf is the revision that a form says it was made of; [kv.None] when it says none.
func RevisionOf(q *web.Request) kv.Revision { return readRevision(q.PostFormValue("revision")) }

// readRevision reads the revision that a form carries. What is none can only come of a form that is not ours, and is not
// the revision of anything.
func readRevision(text string) kv.Revision {
	revision, err := strconv.ParseUint(text, 10, 64)
	if err != nil || revision == 0 || kv.Revision(revision) == kv.Any {
		return kv.None
	}
	return kv.Revision(revision)
}

// RevisionText is a revision as forms carry it.
func RevisionText(revision kv.Revision) string { return strconv.FormatUint(uint64(revision), 10) }

// ask asks whether to delete a resource. Without scripts there are no dialogs.
func (p *Pages) ask(q *web.Request) error {
	one, err := q.API.Registry().Get(q.Context(), p.Kind, q.PathValue("name"))
	if err != nil {
		return missing(err)
	}
	return q.Page(p.page("Delete "+one.Name), askPage(p, &one))
}

func (p *Pages) delete(q *web.Request) error {
	name := q.PathValue("name")
	err := q.API.Registry().Delete(q.Context(), p.Kind, name, RevisionOf(q), resource.Author{})
	switch {
	case errors.Is(err, kv.ErrConflict):
		return q.Refused(p.At(name), "Not deleted: it has changed meanwhile. This is how it is now.")
	case err != nil:
		return p.unable(q, missing(err))
	}
	return q.Done(p.List, name+" is deleted. Its history stays, and can bring it back.")
}

// unable shows why a change could not be made because of other resources, such as a session rule that a mask rule would hide
// what it looks for from.
func (p *Pages) unable(q *web.Request, err error) error {
	var faults seshat.Faults
	if !errors.As(err, &faults) {
		return err
	}
	name := q.PathValue("name")
	return q.PageStatus(http.StatusUnprocessableEntity, p.page(name), unablePage(p, name, faults))
}

// missing gives an error of the registry that says that there is no such resource the kind that pages show.
func missing(err error) error {
	if errors.Is(err, kv.ErrNotFound) && !errors.Is(err, client.ErrSignedOut) {
		return &seshat.Error{Kind: seshat.ErrorNotFound, Err: errors.New("there is no such resource"), Hint: "it may have been deleted; its history may bring it back"}
	}
	return err
}

// isOn reports whether a resource is in force.
func isOn(r *seshat.Resource) bool {
	if r == nil {
		return false
	}
	on := enabledOf(r.Spec)
	return on == nil || *on == nil || **on
}

// enabledOf is the field of a spec that switches it on and off; nil for kinds that cannot be switched.
func enabledOf(spec seshat.Spec) **bool {
	switch s := spec.(type) {
	case *seshat.SessionRuleSpec:
		return &s.Enabled
	case *seshat.ContextParameterSpec:
		return &s.Enabled
	case *seshat.FlowSpec:
		return &s.Enabled
	case *seshat.MaskRuleSpec:
		return &s.Enabled
	case *seshat.LimitSpec:
		return &s.Enabled
	case *seshat.JWTValidationSpec:
		return &s.Enabled
	default:
		return nil
	}
}
