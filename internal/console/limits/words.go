package limits

import (
	"github.com/a-h/templ"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
	"github.com/seshat-project/seshat/internal/resource"
)

func limitCells(one *resource.Stored, with any) templ.Component {
	s, ok := one.Resource.Spec.(*seshat.LimitSpec)
	if !ok {
		return templ.NopComponent
	}
	return limitRow(one, s, didOf(with).of(one.Kind, one.Name))
}

func validationCells(one *resource.Stored, with any) templ.Component {
	s, ok := one.Resource.Spec.(*seshat.JWTValidationSpec)
	if !ok {
		return templ.NopComponent
	}
	return validationRow(one, s, didOf(with).of(one.Kind, one.Name))
}

func countersHead(p *manage.Pages, with any) templ.Component { return head(didOf(with), p.Kind) }

func aboutLimit(q *web.Request, _ *manage.Pages, one *resource.Stored) (templ.Component, error) {
	return about(one, ask(q)), nil
}

// limitTrial shows what a limit would have done; nothing when the preview says nothing of it.
func limitTrial(p *wire.Preview, name string) templ.Component {
	one := trialOfLimit(p, name)
	if one == nil {
		return templ.NopComponent
	}
	return limitTrialPart(one)
}

// passed is how many requests were let pass, where that is known.
func passed(n *wire.Limit) string {
	if n.Here == nil {
		return "–"
	}
	return ui.Count(n.Here.Allowed)
}

// sparkClass is the colour of a line: that of a limit that refuses is one that warns.
func sparkClass(n *wire.Limit) string {
	if n.Limited+n.Blocked > 0 {
		return "bad"
	}
	return "1"
}

// part says which part of a whole something is.
func part(n, whole int) string {
	if whole == 0 {
		return ""
	}
	return ui.Percent(float64(n)/float64(whole)) + " of them"
}

// current are the tabs with one of them current.
func current(address string) []ui.Tab {
	out := tabs()
	for i := range out {
		out[i].Current = out[i].URL == address
	}
	return out
}

// maxShort bounds what is read out of an entry where its row has it in full already.
const maxShort = 64

func short(text string) string {
	if r := []rune(text); len(r) > maxShort {
		return string(r[:maxShort]) + "…"
	}
	return text
}
