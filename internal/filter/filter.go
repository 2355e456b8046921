// Package filter is Seshat's filter language: one parser, one printer, one meaning for the command line, the API
// and the console. See docs/filter.md.
package filter

// Expr is a parsed filter. It is immutable.
type Expr interface {
	// String prints the expression so that parsing it again gives an equal one.
	String() string
	isExpr()
}
