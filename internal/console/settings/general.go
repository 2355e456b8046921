package settings

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

const (
	// settingsName is the name of the one resource of settings.
	settingsName = "default"
	// itemPath, with a slash and the name behind it, is where its history and its YAML are.
	itemPath = "/settings/general"
)

func generalPages() *manage.Pages {
	return &manage.Pages{
		Kind: seshat.KindSettings, Section: ui.SectionSettings, Group: "Settings", One: "settings", Many: "settings", First: "Form",
		List: generalPath, New: generalPath, Item: itemPath,
		Begin: func(f *editor.Form, _ url.Values) { putSettings(f, &seshat.SettingsSpec{}) },
		Put:   putSettings, Spec: readSettings, Edit: func(f *editor.Form) templ.Component { return editSettings(f) },
	}
}

func registerGeneral(site *web.Site) {
	p := generalPages()
	site.Handle("GET "+generalPath, explained(general))
	site.Handle("POST "+generalPath, explained(saveGeneral))
	site.Handle("GET "+itemPath+"/{name}", func(q *web.Request) error { return q.Redirect(generalPath) })
	p.RegisterRest(site)
}

// The controls of the form are called as the fields of the resource are.
const (
	fieldInference = "spec.inference"
	fieldInferred  = "spec.inference.enabled"
	fieldScore     = "spec.inference.minimumScore"
	fieldAuto      = "spec.autoIdentifier"
	fieldBuiltIn   = "spec.builtIn"
)

func durations(s *seshat.SettingsSpec) map[string]**seshat.Duration {
	return map[string]**seshat.Duration{
		"spec.retention": &s.Retention, "spec.fallbackIdleTimeout": &s.FallbackIdleTimeout, "spec.idleTimeout": &s.IdleTimeout,
		"spec.graceTime": &s.GraceTime, "spec.lateness": &s.Lateness,
	}
}

func putSettings(f *editor.Form, spec seshat.Spec) {
	s, ok := spec.(*seshat.SettingsSpec)
	if !ok {
		return
	}
	for name, d := range durations(s) {
		f.PutDuration(name, *d)
	}
	f.PutFlag(fieldAuto, s.AutoIdentifier, true)
	f.PutFlag(fieldBuiltIn, s.BuiltIn, true)
	score, inferred := "", (*bool)(nil)
	if i := s.Inference; i != nil {
		inferred = i.Enabled
		if i.MinimumScore != nil {
			score = strconv.FormatFloat(*i.MinimumScore, 'g', -1, 64)
		}
		if i.Enabled == nil && i.MinimumScore == nil {
			f.Lose(fieldInference) // it is there, and says nothing
		}
	}
	f.PutFlag(fieldInferred, inferred, true)
	f.PutLine(fieldScore, score)
}

func readSettings(f *editor.Form) seshat.Spec {
	s := &seshat.SettingsSpec{AutoIdentifier: f.Flag(fieldAuto, true), BuiltIn: f.Flag(fieldBuiltIn, true)}
	for name, d := range durations(s) {
		*d = f.Duration(name)
	}
	i := seshat.InferenceSettings{Enabled: f.Flag(fieldInferred, true)}
	if text := strings.TrimSpace(f.Get(fieldScore)); text != "" {
		score, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(score) || math.IsInf(score, 0) {
			f.Fault(fieldScore, "not a number", "from 0 to 1, such as 0.7")
		} else {
			i.MinimumScore = &score
		}
	}
	if i != (seshat.InferenceSettings{}) {
		s.Inference = &i
	}
	return s
}

// sheet is the form as it is shown.
type sheet struct {
	form     *editor.Form
	revision kv.Revision      // the one that the form was made of; [kv.None] where nothing is declared
	stored   *resource.Stored // what is in force; nil where nothing is declared, and of forms that were sent
	past     bool             // there is a history
	readOnly bool
	others   seshat.Faults // of resources that would not work any more
	problem  *wire.Problem
	other    *wire.ResourceDiff // what somebody else changed meanwhile
}

func general(q *web.Request) error {
	p, s := generalPages(), &sheet{}
	one, err := q.API.Registry().Get(q.Context(), seshat.KindSettings, settingsName)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		s.form = p.Draft(&seshat.Resource{Kind: seshat.KindSettings, Metadata: seshat.Metadata{Name: settingsName}, Spec: &seshat.SettingsSpec{}})
		list, err := q.API.Registry().History(q.Context(), seshat.KindSettings, settingsName)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		s.past = len(list) > 0
	case err != nil:
		return err
	default:
		s.form, s.revision, s.stored, s.past = p.Draft(one.Resource), one.Revision, &one, true
		if len(s.form.Lost()) > 0 {
			return q.Redirect(p.At(settingsName, "yaml") + "?only") // saving the form would lose it
		}
	}
	return showGeneral(q, http.StatusOK, s)
}

func showGeneral(q *web.Request, status int, s *sheet) error {
	s.readOnly = !q.Viewer.Can(mayWrite)
	p := page("General", "How long traffic is kept, when sessions end, and how they are found where no rule says it.")
	p.Styles = append([]string{"editor.css", "manage.css"}, p.Styles...)
	p.Actions = generalActions(s)
	return q.PageStatus(status, p, generalPage(tabs(q.Viewer, generalPath), s))
}

func saveGeneral(q *web.Request) error {
	if err := q.ParseForm(); err != nil {
		return &seshat.Error{Kind: seshat.ErrorUsage, Op: "read the form", Err: errors.New("it cannot be read"), Hint: "open the page anew"}
	}
	s := &sheet{form: editor.New(q.PostForm), revision: manage.RevisionOf(q), past: true}
	s.form.Values.Set("metadata.name", settingsName)
	r, faults := generalPages().Resource(s.form)
	if len(faults) > 0 {
		return showGeneral(q, http.StatusUnprocessableEntity, s)
	}
	outcomes, err := q.API.Registry().Apply(q.Context(), []resource.Parsed{{Resource: *r}}, resource.ApplyOptions{
		Expected: map[string]kv.Revision{resource.Key(seshat.KindSettings, settingsName): s.revision},
	})
	switch {
	case err == nil && outcomes[0].Action == resource.ActionUnchanged:
		return q.Done(generalPath, "Nothing was different: the settings stay as they were.")
	case err == nil:
		return q.Done(generalPath, "The settings are saved, and in force everywhere within a second.")
	case errors.As(err, &faults):
		for _, one := range faults {
			if strings.Contains(one.File, "/") {
				s.others = append(s.others, one)
			} else {
				s.form.AddFaults(seshat.Faults{one})
			}
		}
		return showGeneral(q, http.StatusUnprocessableEntity, s)
	case errors.Is(err, kv.ErrConflict), errors.Is(err, kv.ErrNotFound):
		return settingsChanged(q, s)
	}
	if s.problem, err = refusal(err); err != nil {
		return err
	}
	return showGeneral(q, s.problem.Status, s)
}

// settingsChanged shows what somebody else changed since the form was opened, for whoever sent it to decide.
func settingsChanged(q *web.Request, s *sheet) error {
	registry := q.API.Registry()
	now, err := registry.Get(q.Context(), seshat.KindSettings, settingsName)
	if errors.Is(err, kv.ErrNotFound) {
		s.problem = &wire.Problem{
			Title: "They were deleted meanwhile", Detail: "Somebody went back to the defaults since this form was opened. Nothing of yours is saved yet.",
			Hint: "Saving once more declares them anew.",
		}
		s.revision = kv.None
		return showGeneral(q, http.StatusConflict, s)
	}
	if err != nil {
		return err
	}
	if s.revision != kv.None {
		s.other, err = registry.Diff(q.Context(), seshat.KindSettings, settingsName, s.revision, now.Revision)
	}
	if s.other == nil || err != nil { // the older revision may not be kept any more
		s.other = &wire.ResourceDiff{To: wire.DiffSide{Revision: uint64(now.Revision), By: now.By, At: now.At, Action: string(now.Action)}}
	}
	s.revision = now.Revision // saving once more replaces what is there now
	return showGeneral(q, http.StatusConflict, s)
}
