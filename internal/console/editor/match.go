package editor

import (
	"github.com/seshat-project/seshat"
)

// OpIn is the operator whose operand is a list.
const OpIn = "in"

// operator is one way to compare a text.
type operator struct {
	name, words string
	// field is where its operand is; nil for those that have none of one text.
	field func(*seshat.Match) **string
}

// operators are those of [seshat.Match], in the order in which they are offered.
func operators() []operator {
	return []operator{
		{"equals", "is", func(m *seshat.Match) **string { return &m.Equals }},
		{"notEquals", "is not", func(m *seshat.Match) **string { return &m.NotEquals }},
		{"contains", "contains", func(m *seshat.Match) **string { return &m.Contains }},
		{"notContains", "does not contain", func(m *seshat.Match) **string { return &m.NotContains }},
		{"startsWith", "starts with", func(m *seshat.Match) **string { return &m.StartsWith }},
		{"endsWith", "ends with", func(m *seshat.Match) **string { return &m.EndsWith }},
		{"matches", "matches", func(m *seshat.Match) **string { return &m.Matches }},
		{"notMatches", "does not match", func(m *seshat.Match) **string { return &m.NotMatches }},
		{OpIn, "is one of", nil},
		{"exists", "exists", nil},
		{"notExists", "does not exist", nil},
	}
}

// lacks reports whether an operator needs a text and has none. A value may well be equal to nothing; a name is not.
func lacks(op, text string, key bool) bool {
	switch op {
	case "", OpIn, "exists", "notExists":
		return false
	case "equals", "notEquals":
		return key && text == ""
	default:
		return text == ""
	}
}

// PutMatch fills in a comparison. Of keys, that they are equal to nothing cannot be shown: it is never meant.
func (f *Form) PutMatch(path string, m *seshat.Match, key bool) {
	op, text, texts := "", "", []string(nil)
	if key {
		op = "equals"
	}
	set := 0
	if m != nil {
		for _, o := range operators() {
			if o.field == nil {
				continue
			}
			if operand := *o.field(m); operand != nil {
				op, text = o.name, *operand
				set++
			}
		}
		if m.In != nil {
			op, texts = OpIn, m.In
			set++
		}
		if m.Exists != nil {
			op = "exists"
			set++
			if !*m.Exists {
				f.lose(path) // it is "does not exist" in other words
			}
		}
		if m.NotExists != nil {
			op = "notExists"
			set++
			if !*m.NotExists {
				f.lose(path)
			}
		}
		if set != 1 || lacks(op, text, key) || op == OpIn && len(texts) == 0 {
			f.lose(path)
		}
	}
	f.put(path+".op", op)
	f.put(path+".text", text)
	f.PutLines(path+".texts", texts)
}

// Match reads a comparison; nil when there is none.
func (f *Form) Match(path string, key bool) *seshat.Match {
	op, text := f.Get(path+".op"), f.Get(path+".text")
	yes := true
	switch op {
	case "":
		return nil
	case OpIn:
		list := f.Lines(path + ".texts")
		if len(list) == 0 {
			f.fault(path+".texts", "no text", "write one a line")
			return nil
		}
		return &seshat.Match{In: list}
	case "exists":
		return &seshat.Match{Exists: &yes}
	case "notExists":
		return &seshat.Match{NotExists: &yes}
	}
	for _, o := range operators() {
		if o.name != op || o.field == nil {
			continue
		}
		if lacks(op, text, key) {
			if !key || op != "equals" {
				f.fault(path+".text", "no text", "")
			}
			return nil
		}
		var m seshat.Match
		*o.field(&m) = &text
		return &m
	}
	f.fault(path+".op", "there is no such operator", "")
	return nil
}
