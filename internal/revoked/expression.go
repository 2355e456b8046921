package revoked

import "github.com/seshat-project/seshat/internal/filter"

// The constructors keep to what an expression may look like: no And within an And, no Or within an Or, no Not of a Not.

func all(a, b filter.Expr) filter.Expr {
	if a == nil {
		return b
	}
	var out []filter.Expr
	for _, e := range []filter.Expr{a, b} {
		if and, ok := e.(*filter.And); ok {
			out = append(out, and.Exprs...)
		} else {
			out = append(out, e)
		}
	}
	return &filter.And{Exprs: out}
}

func either(a, b filter.Expr) filter.Expr { return anyOf([]filter.Expr{a, b}) }

func anyOf(exprs []filter.Expr) filter.Expr {
	var out []filter.Expr
	for _, e := range exprs {
		if or, ok := e.(*filter.Or); ok {
			out = append(out, or.Exprs...)
		} else {
			out = append(out, e)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return &filter.Or{Exprs: out}
}

func negate(e filter.Expr) filter.Expr {
	if not, ok := e.(*filter.Not); ok {
		return not.Expr
	}
	return &filter.Not{Expr: e}
}
