package rule

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/seshat-project/seshat"
)

// operators is the spelling of every operator, for hints.
const operators = "one of equals, notEquals, contains, notContains, startsWith, endsWith, matches, notMatches, in, exists, notExists"

// compileMatch compiles m. A nil m gives a nil Matcher, which holds for every text. fold is for header names.
func compileMatch(at place, m *seshat.Match, fold bool) *Matcher {
	if m == nil {
		return nil
	}
	out := &Matcher{fold: fold}
	set := make([]string, 0, 1)
	text := func(name string, op Op, s *string) {
		if s == nil {
			return
		}
		set = append(set, name)
		out.op, out.text = op, *s
	}
	text("equals", OpEquals, m.Equals)
	text("notEquals", OpNotEquals, m.NotEquals)
	text("contains", OpContains, m.Contains)
	text("notContains", OpNotContains, m.NotContains)
	text("startsWith", OpStartsWith, m.StartsWith)
	text("endsWith", OpEndsWith, m.EndsWith)
	text("matches", OpMatches, m.Matches)
	text("notMatches", OpNotMatches, m.NotMatches)
	if m.In != nil {
		set, out.op = append(set, "in"), OpIn
		out.set = slices.Clone(m.In)
	}
	presence := func(name string, present bool, b *bool) {
		if b == nil {
			return
		}
		set, out.op = append(set, name), OpNotExists
		if *b == present {
			out.op = OpExists
		}
	}
	presence("exists", true, m.Exists)
	presence("notExists", false, m.NotExists)

	switch len(set) {
	case 1:
	case 0:
		at.fault("set "+operators, "no operator")
		return nil
	default:
		at.fault("use one operator; several conditions are ANDed", "several operators (%s)", strings.Join(set, ", "))
		return nil
	}
	compileOperand(at.child(set[0]), out)
	return out
}

func compileOperand(at place, out *Matcher) {
	switch out.op {
	case OpMatches, OpNotMatches:
		out.re = compileRegexp(at, out.text, out.fold)
	case OpIn:
		if len(out.set) == 0 {
			at.fault("list at least one text", "an empty list holds for nothing")
		}
		at.limit(len(out.set), MaxInValues, "texts")
		for i, s := range out.set {
			at.item(i).length(s, MaxText)
		}
	case OpContains, OpNotContains, OpStartsWith, OpEndsWith:
		if out.text == "" {
			at.fault("use exists to ask for presence", "the empty text is part of every text")
		}
		at.length(out.text, MaxText)
	case OpEquals, OpNotEquals:
		at.length(out.text, MaxText)
	case OpExists, OpNotExists:
	}
}

// compileRegexp compiles an RE2 expression and says where it is broken when it is.
func compileRegexp(at place, expr string, fold bool) *regexp.Regexp {
	if expr == "" {
		at.fault("", "the expression is empty")
		return nil
	}
	if !at.length(expr, MaxPattern) {
		return nil
	}
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
		message, hint := explainRegexp(expr, err)
		at.fault(hint, "%s", message)
		return nil
	}
	flagged := expr
	if fold {
		flagged = "(?i:" + expr + ")"
	}
	re, err := regexp.Compile(flagged)
	if err != nil { // such as an expression whose program would be too large
		at.fault("simplify it", "the expression does not compile: %v", err)
		return nil
	}
	return re
}

// explainRegexp says what is wrong with expr, at which character, and what to do.
func explainRegexp(expr string, err error) (message, hint string) {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return "the expression does not compile: " + err.Error(), ""
	}
	message = "broken regular expression: " + string(e.Code)
	if i := strings.Index(expr, e.Expr); e.Expr != "" && i >= 0 {
		message += " at character " + itoa(i+1) + ": `" + e.Expr + "`"
	} else {
		message += ": `" + expr + "`"
	}
	switch e.Code { //nolint:exhaustive // the rest explain themselves
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen:
		hint = `close every group; write \( or \) for the character itself`
	case syntax.ErrMissingBracket:
		hint = `close the character class with ]; write \[ for the character itself`
	case syntax.ErrMissingRepeatArgument:
		hint = `*, + and ? repeat what is before them; write \* for the character itself, .* for anything`
	case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape:
		hint = "the syntax is RE2: it has no look-around and no back-references"
	case syntax.ErrInvalidRepeatSize, syntax.ErrInvalidRepeatOp:
		hint = "a repeat count is at most 1000"
	default:
		hint = "the syntax is RE2"
	}
	return message, hint
}
