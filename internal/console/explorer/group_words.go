package explorer

import (
	"strings"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// fieldWords is what a field is called within a heading: as the column of the table, where there is one.
func fieldWords(field string) string {
	switch field {
	case "session_id":
		return "session"
	case "ip":
		return "address"
	case "request_bytes":
		return "request size"
	case "response_bytes":
		return "response size"
	case "status_class":
		return "class of status"
	case "verdict.by":
		return "verdict by"
	case "ja4":
		return "JA4"
	}
	if name, ok := strings.CutPrefix(field, attributePrefix); ok {
		return name
	}
	return strings.ReplaceAll(field, "_", " ")
}

// dimensionWords is the heading of what is grouped by, such as "Endpoint" or "Time, every 5 min".
func dimensionWords(name string) string {
	field, width, stretched := strings.Cut(name, ":")
	text := fieldWords(field)
	if !strings.HasPrefix(field, attributePrefix) {
		text = capital(text)
	}
	if d, err := seshat.ParseDuration(width); stretched && err == nil {
		return text + ", every " + ui.Length(time.Duration(d))
	}
	return text
}

// measureWords is the heading of a measure, such as "Exchanges", "Users" or "p95 of duration".
func measureWords(name string) string {
	kind, field, _ := strings.Cut(name, ":")
	of := " of " + fieldWords(field)
	switch kind {
	case "count":
		return "Exchanges"
	case "unique":
		return "Unique " + several(fieldWords(field))
	case "approx_unique":
		return "About how many " + several(fieldWords(field))
	case "min":
		return "Least" + of
	case "max":
		return "Greatest" + of
	case "avg":
		return "Mean" + of
	case "sum":
		return "Sum" + of
	default:
		return kind + of
	}
}

func several(name string) string {
	switch {
	case strings.HasSuffix(name, "ss"):
		return name + "es"
	case strings.HasSuffix(name, "s"):
		return name
	default:
		return name + "s"
	}
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// groupValue is a value of a dimension in words.
func groupValue(by *wire.GroupedBy, v wire.GroupValue) string {
	switch {
	case v.Absent && by.Field == "user":
		return "anonymous"
	case v.Absent:
		return "none"
	case by.Type == "time":
		if t, err := time.Parse(time.RFC3339Nano, v.Value); err == nil {
			return ui.Stamp(t)
		}
	}
	return v.Value
}

// number is a measure of a group in words, with its unit.
func number(m *wire.Measured, n *float64) string {
	if n == nil {
		return "–"
	}
	switch m.Unit {
	case "ms":
		return ui.Length(milliseconds(*n))
	case "bytes":
		return ui.Bytes(int64(*n))
	}
	if *n == float64(int64(*n)) {
		return ui.Count(int64(*n))
	}
	return ui.Short(*n)
}
