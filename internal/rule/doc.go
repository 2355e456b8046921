// Package rule turns declared resources into an immutable compiled [Ruleset]: everything that can be wrong with a
// rule is found here, once, so that identification only ever sees rules that work.
//
// The package is pure. It knows what a rule means (locations, operators, scopes, order), and leaves looking at
// exchanges to package identify.
package rule
