// Package ui is what pages of the console are made of: the layout, and the components of the design system in
// assets/files/seshat.css.
package ui

import (
	"context"

	"github.com/a-h/templ"
)

//go:generate go tool -modfile=../../../tools/go.mod templ generate -path ..

// Section is a part of the console that the navigation leads to.
type Section string

// The sections.
const (
	SectionNone     Section = ""
	SectionOverview Section = "overview"
	SectionSessions Section = "sessions"
	SectionExplorer Section = "explorer"
	SectionRules    Section = "rules"
	SectionContext  Section = "context"
	SectionLimits   Section = "limits"
	SectionSettings Section = "settings"
)

// Viewer is who looks at a page.
type Viewer struct {
	Name, Display, Role string
	// CSRF is the token that forms send; see [CSRF].
	CSRF        string
	Permissions map[string]bool
	// SignedIn says that there is a session to sign out of.
	SignedIn bool
}

// Can reports whether the viewer has a permission, such as "denylist:write". A nil viewer has none.
func (v *Viewer) Can(permission string) bool { return v != nil && v.Permissions[permission] }

// Page is a page, but for what it shows.
type Page struct {
	Title    string // of the window, and the heading when there is no other
	Heading  string
	Subtitle string
	Section  Section
	Crumbs   []Crumb
	Actions  templ.Component // beside the heading
	// Scripts and Styles are assets that this page needs besides those of every page, such as "filter.js".
	Scripts, Styles []string
}

// Crumb is a page above this one.
type Crumb struct{ Name, URL string }

// Frame is what surrounds every page.
type Frame struct {
	Viewer *Viewer
	// Asset returns the address of an asset.
	Asset   func(name string) string
	Version string
	// Headers are the request fields that requests of scripts have: the CSRF token, where there is no form.
	Headers map[string]string
	// Flash is what came of the request before: shown once.
	Flash Flash
}

// Flash is a line that tells what came of a change.
type Flash struct {
	Text string
	Kind string // good, warn, bad or empty
}

type frameKey struct{}

// WithFrame returns a context in which components find the frame of the page they are on.
func WithFrame(ctx context.Context, f *Frame) context.Context {
	return context.WithValue(ctx, frameKey{}, f)
}

func frameOf(ctx context.Context) *Frame {
	if f, ok := ctx.Value(frameKey{}).(*Frame); ok {
		return f
	}
	return &Frame{Asset: func(name string) string { return name }}
}

// ViewerOf is who looks at the page that a component is on. It may be nil.
func ViewerOf(ctx context.Context) *Viewer { return frameOf(ctx).Viewer }

// Can reports whether who looks at the page has a permission.
func Can(ctx context.Context, permission string) bool { return ViewerOf(ctx).Can(permission) }

func asset(ctx context.Context, name string) string { return frameOf(ctx).Asset(name) }

// CSRFField is the name of the form field that carries the CSRF token.
const CSRFField = "csrf"

func csrf(ctx context.Context) string {
	if v := ViewerOf(ctx); v != nil {
		return v.CSRF
	}
	return ""
}

// entry is a line of the navigation.
type entry struct {
	section   Section
	name, url string
	icon      string
	key       string // after g
}

func entries() [][]entry {
	return [][]entry{
		{
			{SectionOverview, "Overview", "/", "overview", "o"},
			{SectionSessions, "Sessions", "/sessions", "sessions", "s"},
			{SectionExplorer, "Explorer", "/explorer", "explorer", "e"},
		},
		{
			{SectionRules, "Rules", "/rules", "rules", "r"},
			{SectionContext, "Context", "/context", "context", "c"},
			{SectionLimits, "Limits & denylist", "/limits", "limits", "l"},
		},
		{
			{SectionSettings, "Settings", "/settings", "settings", "t"},
		},
	}
}

func initials(v *Viewer) string {
	for _, r := range v.Name {
		return string(r)
	}
	return "?"
}
