package limits

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/preview"
	"github.com/seshat-project/seshat/internal/rule"
)

func limitPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindLimit, Section: ui.SectionLimits, Group: group, Tabs: tabs,
		One: "limit", Many: "limits",
		Intro: "How many requests of one session, user or address pass within a window. Begin with tag only: it counts, and refuses nothing.",
		Next:  "Bound sign-ins by address, or expensive endpoints by session. A limit that only tags shows first what it would refuse.",
		List:  listLimits, New: "/limits/new", Item: "/limits/limit",
		Columns: []manage.Column{
			{Name: "Bounds"},
			{Name: "Action"},
			{Name: "Let pass", Class: "number wide-only"},
			{Name: "Tagged", Class: "number"},
			{Name: "429", Class: "number"},
			{Name: "403", Class: "number"},
			{Name: "Last hour"},
		},
		Cells: limitCells, With: countersOf, Head: countersHead, About: aboutLimit,
		Scripts: []string{"refresh.js"}, Styles: []string{"limits.css"},
		Begin: beginLimit, Put: putLimit, Spec: readLimit, Edit: editLimit, Most: rule.MaxConditions,
		Trial: limitTrial,
	}
}

// What a new limit begins with, unless the address says something else.
const (
	firstKey    = "session"
	firstCount  = 100
	firstWindow = time.Minute
	firstAction = actionTag
)

// The actions of limits and validations, as resources call them.
const actionTag, actionLimit, actionBlock = "tag", "limit", "block"

// beginLimit fills in a new limit. The address may have key and endpoint, several times, and count, window, for, action,
// service and environment, so that pages can lead here with what somebody looks at.
func beginLimit(f *editor.Form, query url.Values) {
	s := &seshat.LimitSpec{
		Endpoints: query["endpoint"], Key: query["key"], Count: firstCount, Window: seshat.Duration(firstWindow), Action: firstAction,
		Scope: seshat.Scope{Services: query["service"], Environments: query["environment"]},
	}
	if len(s.Key) == 0 {
		s.Key = []string{firstKey}
	}
	if n, err := strconv.ParseInt(query.Get("count"), 10, 32); err == nil {
		s.Count = int(n)
	}
	if d, err := seshat.ParseDuration(query.Get("window")); err == nil {
		s.Window = d
	}
	if d, err := seshat.ParseDuration(query.Get("for")); err == nil {
		s.For = &d
	}
	switch action := query.Get("action"); action {
	case actionTag, actionBlock:
		s.Action = action
	case actionLimit:
		s.Action = ""
	}
	putLimit(f, s)
}

func putLimit(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.LimitSpec)
	if !ok {
		return
	}
	f.PutScope("spec.scope", &s.Scope)
	f.PutLines("spec.endpoints", s.Endpoints)
	f.PutConditions("spec.conditions", s.Conditions)
	for i, key := range s.Key {
		path := editor.At("spec.key", i)
		kind, name, named := strings.Cut(key, ":")
		if named != (kind == keyParameter || kind == keyClaim) || named && name == "" {
			kind, name = key, "" // it is none, and is shown as it is
		}
		f.Values.Set(path, "item")
		f.PutLine(path+".kind", kind)
		f.PutLine(path+".name", name)
	}
	f.PutNumber("spec.count", &s.Count)
	f.PutDuration("spec.window", &s.Window)
	f.PutLine("spec.action", s.Action)
	f.PutDuration("spec.for", s.For)
}

// The keys that have a name.
const keyParameter, keyClaim = "parameter", "claim"

func readLimit(f *editor.Form) seshat.Spec {
	s := &seshat.LimitSpec{
		Scope: f.Scope("spec.scope"), Endpoints: f.Lines("spec.endpoints"), Conditions: f.Conditions("spec.conditions"), Action: f.Get("spec.action"),
		For: f.Duration("spec.for"),
	}
	for i := range f.Items("spec.key") {
		path := editor.At("spec.key", i)
		key := f.Get(path + ".kind")
		if key == keyParameter || key == keyClaim {
			key += ":" + f.Get(path+".name")
		}
		s.Key = append(s.Key, key)
	}
	if n := f.Number("spec.count"); n != nil {
		s.Count = *n
	}
	if d := f.Duration("spec.window"); d != nil {
		s.Window = *d
	}
	return s
}

func keyKinds() []editor.Option {
	return []editor.Option{
		{Value: "session", Name: "session"},
		{Value: "user", Name: "user"},
		{Value: "ip", Name: "address"},
		{Value: "clientSessionID", Name: "client session ID"},
		{Value: keyParameter, Name: "context parameter"},
		{Value: keyClaim, Name: "claim of the token"},
	}
}

func limitActions() []editor.Option {
	return []editor.Option{
		{Value: actionTag, Name: "tag only: let pass, mark and count"}, {Value: "", Name: "429: refuse until there is room"}, {Value: actionBlock, Name: "403: refuse as forbidden"},
	}
}

// bounds is what a limit says in a few words.
func bounds(s *seshat.LimitSpec) string {
	text := ui.Count(s.Count) + " in " + ui.Length(time.Duration(s.Window)) + " by " + strings.Join(keyWords(s.Key), " and ")
	if s.For != nil {
		text += ", then refused for " + ui.Length(time.Duration(*s.For))
	}
	return text
}

// keyWords are what a limit counts apart by, as the form calls it; a parameter and a claim go by their names.
func keyWords(keys []string) []string {
	out := slices.Clone(keys)
	for i, key := range keys {
		if _, name, named := strings.Cut(key, ":"); named {
			out[i] = name
		}
		for _, o := range keyKinds() {
			if o.Value == key {
				out[i] = o.Name
			}
		}
	}
	return out
}

func endpoints(list []string) string {
	switch len(list) {
	case 0:
		return "every endpoint"
	case 1:
		return list[0]
	default:
		return list[0] + " +" + strconv.Itoa(len(list)-1)
	}
}

func trialOfLimit(p *wire.Preview, name string) *preview.LimitTrial {
	for i := range p.Limits {
		if p.Limits[i].Name == name {
			return &p.Limits[i]
		}
	}
	return nil
}
