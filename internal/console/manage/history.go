package manage

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// past is the history of a resource as it is shown.
type past struct {
	name      string
	revisions []resource.Stored // the newest first
	diff      *wire.ResourceDiff
}

// newest is the revision that the resource has: none when it is deleted.
func (h *past) newest() kv.Revision {
	if h.gone() {
		return kv.None
	}
	return h.revisions[0].Revision
}

func (h *past) gone() bool { return h.revisions[0].Resource == nil }

func (p *Pages) history(q *web.Request) error {
	name := q.PathValue("name")
	list, err := q.API.Registry().History(q.Context(), p.Kind, name)
	if err != nil {
		return missing(err)
	}
	if len(list) == 0 {
		return missing(kv.ErrNotFound)
	}
	slices.Reverse(list)
	h := &past{name: name, revisions: list}
	from, to := readRevision(q.Param("from")), readRevision(q.Param("to"))
	if from > to && to != 0 {
		from, to = to, from // the older one first, however they were picked
	}
	if h.diff, err = q.API.Registry().Diff(q.Context(), p.Kind, name, from, to); err != nil {
		return missing(err)
	}
	page := p.page(name)
	page.Title, page.Heading = name+", history", name
	return q.Page(page, historyPage(p, h))
}

func (p *Pages) rollBack(q *web.Request) error {
	name := q.PathValue("name")
	revision := RevisionOf(q)
	if revision == kv.None {
		return &seshat.Error{Kind: seshat.ErrorUsage, Op: "roll back " + name, Err: errors.New("it is not said to which revision")}
	}
	outcome, err := q.API.Registry().Rollback(q.Context(), p.Kind, name, revision, readRevision(q.PostFormValue("newest")), resource.Author{})
	var faults seshat.Faults
	switch {
	case errors.As(err, &faults): // it does not go together with what there is now
		page := p.page(name)
		page.Title, page.Heading = name+", history", name
		return q.PageStatus(http.StatusUnprocessableEntity, page, notRolledBack(p, name, faults))
	case errors.Is(err, kv.ErrConflict):
		return q.Refused(p.At(name, "history"), "Not brought back: "+name+" has changed meanwhile. This is how it is now.")
	case err != nil:
		return missing(err)
	}
	if outcome.Action == resource.ActionUnchanged {
		return q.Done(p.At(name), "Nothing was different: it stays as it was.")
	}
	return q.Done(p.At(name), "Revision "+RevisionText(revision)+" is back, and in force.")
}

// diffLine is a line of a unified diff.
type diffLine struct {
	kind byte // + - @ or blank
	text string
}

// diffLines are the lines of a unified diff, without its heading.
func diffLines(unified string) []diffLine {
	var out []diffLine
	for line := range strings.Lines(unified) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "---") && len(out) == 0 || strings.HasPrefix(line, "+++") && len(out) == 0 {
			continue
		}
		out = append(out, diffLine{kind: line[0], text: line})
	}
	return out
}
