// Package manage is the pages that list, make and change resources of one kind: list, form, trying, history with
// differences, YAML, deletion. What tells kinds apart is in a [Pages], which a part of the console fills in.
package manage

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/resource"
)

// Pages are the pages of the resources of one kind.
type Pages struct {
	Kind    seshat.Kind
	Section ui.Section
	// Group names the part of the console, and Tabs are its tabs; the one whose URL is List is the current one.
	Group string
	Tabs  func() []ui.Tab
	// One and Many are what people call such resources: context parameter, context parameters.
	One, Many string
	// Intro says what they are for, and Next what to do when there is none yet.
	Intro, Next string
	// List is the address of the list, New that of the form of a new one, and Item, with a slash and a name behind it, that
	// of one of them. They are apart so that a resource may be called "new".
	List, New, Item string

	// First is what the first page of a resource is called; "Settings" when it is empty.
	First string

	// Columns are the headings of what Cells shows, between name and last change.
	Columns []Column
	// Cells returns what Columns show of a resource: as many td elements. With is what [Pages.With] returned.
	Cells func(one *resource.Stored, with any) templ.Component
	// With asks for what the whole list shows beside resources; nil when that is nothing.
	With func(q *web.Request, list []resource.Stored) (any, error)
	// Head is shown above the list; may be nil.
	Head func(p *Pages, with any) templ.Component
	// About is shown above the form of a resource that there is; may be nil.
	About func(q *web.Request, p *Pages, one *resource.Stored) (templ.Component, error)
	// Scripts and Styles are assets that the list and the form need.
	Scripts, Styles []string

	// Begin fills in the form of a new resource. Query is that of the page, and may say what it begins with.
	Begin func(f *editor.Form, query url.Values)
	// Put fills in a form with what a spec says, and Spec reads it.
	Put  func(f *editor.Form, spec seshat.Spec)
	Spec func(f *editor.Form) seshat.Spec
	// Edit shows the controls of the spec.
	Edit func(f *editor.Form) templ.Component
	// Most is how many items the lists of the form may have.
	Most int
	// Trial shows what a draft of this name did in a preview; nil for kinds that cannot be tried.
	Trial func(p *wire.Preview, name string) templ.Component
}

// Column is a heading of the list.
type Column struct {
	Name  string
	Class string // number, wide-only
}

// Register serves the pages.
func (p *Pages) Register(site *web.Site) {
	site.Handle("GET "+p.List, p.list)
	site.Handle("GET "+p.New, p.begin)
	site.Handle("POST "+p.New, p.sent)
	site.Handle("GET "+p.Item+"/{name}", p.edit)
	site.Handle("POST "+p.Item+"/{name}", p.sent)
	p.RegisterRest(site)
}

// RegisterRest serves what is not list and form, for kinds that have a list and forms of their own.
func (p *Pages) RegisterRest(site *web.Site) {
	site.Handle("POST "+p.Item+"/{name}/enabled", p.enable)
	site.Handle("GET "+p.Item+"/{name}/delete", p.ask)
	site.Handle("POST "+p.Item+"/{name}/delete", p.delete)
	site.Handle("GET "+p.Item+"/{name}/history", p.history)
	site.Handle("POST "+p.Item+"/{name}/rollback", p.rollBack)
	site.Handle("GET "+p.Item+"/{name}/yaml", p.yaml)
	site.Handle("POST "+p.Item+"/{name}/yaml", p.saveYAML)
}

// The permissions that pages look at to know what to offer. The API decides.
const (
	mayWrite = "resources:write"
	mayTry   = "rules:try"
)

// At is the address of one resource, or of a page of it.
func (p *Pages) At(name string, page ...string) string {
	out := p.Item + "/" + url.PathEscape(name)
	for _, one := range page {
		out += "/" + one
	}
	return out
}

func (p *Pages) tabs() []ui.Tab {
	out := p.Tabs()
	for i := range out {
		out[i].Current = out[i].URL == p.List
	}
	return out
}

// ItemTabs are the pages of one resource, of which the first is shown.
func (p *Pages) ItemTabs(name string) []ui.Tab { return p.itemTabs(name, tabForm) }

// itemTabs are the pages of one resource.
func (p *Pages) itemTabs(name, current string) []ui.Tab {
	tab := func(title string, page ...string) ui.Tab {
		address := p.At(name, page...)
		return ui.Tab{Name: title, URL: address, Current: current == title}
	}
	first := tab(tabForm)
	if p.First != "" {
		first.Name = p.First
	}
	return []ui.Tab{first, tab(tabHistory, "history"), tab(tabYAML, "yaml")}
}

const tabForm, tabHistory, tabYAML = "Settings", "History", "YAML"

// page is a page below the list.
func (p *Pages) page(title string) ui.Page {
	return ui.Page{
		Title: title, Section: p.Section, Scripts: p.Scripts, Styles: append([]string{"editor.css", "manage.css"}, p.Styles...),
		Crumbs: p.crumbs(),
	}
}

// crumbs lead back to the list. A part of the console with one kind of resources is that list.
func (p *Pages) crumbs() []ui.Crumb {
	list := ui.Crumb{Name: capital(p.Many), URL: p.List}
	if p.Group == list.Name {
		return []ui.Crumb{list}
	}
	return []ui.Crumb{{Name: p.Group, URL: p.Tabs()[0].URL}, list}
}

// capital begins a text with a capital letter. Texts are ours, and begin with a letter of ASCII.
func capital(text string) string {
	if text == "" || text[0] < 'a' || text[0] > 'z' {
		return text
	}
	return string(text[0]-'a'+'A') + text[1:]
}
