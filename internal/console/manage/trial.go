package manage

import (
	"strings"

	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/preview"
)

func join(list []string) string { return strings.Join(list, " · ") }

func shares(values []preview.CountedValue) []ui.Share {
	out := make([]ui.Share, len(values))
	for i, v := range values {
		out[i] = ui.Share{Name: v.Value, Count: int64(v.Count)}
		if v.Value == "" {
			out[i].Name = "(empty)"
		}
	}
	return out
}

// reasons are the words for why nothing was found.
func reasons(list []preview.MissedFor) []ui.Share {
	out := make([]ui.Share, len(list))
	for i, m := range list {
		text := m.Reason
		switch m.Reason {
		case "absent":
			text = "it was not there"
		case "condition":
			text = "a condition did not hold"
		case "value":
			text = "the value did not match"
		case "transformation":
			text = "a transformation did not apply"
		case "length":
			text = "it was too long"
		}
		if m.Detail != "" {
			text += ": " + m.Detail
		}
		out[i] = ui.Share{Name: text, Count: int64(m.Count)}
	}
	return out
}
