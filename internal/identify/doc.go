// Package identify finds out, for one exchange at a time, which client session IDs it carries, who speaks, and which
// business flows it belongs to. The same code explains its answer.
//
// The order is: the user's session rules by priority, each with its identifiers by index; then the built-in set; then
// address and user agent. All identifiers in scope are evaluated and recorded. The first that found something in the
// request groups the exchange, else the first that found something in the response, else the fallback.
//
// # Masks
//
// A masked value is hidden rather than rewritten: everything here reads an exchange through views (see views.go)
// that leave out what a mask rule in scope hides, so identifiers, conditions, parameters and flows cannot see it.
//
// # Several values of one name
//
// An extraction takes the first field, in the order of the message, whose key and value match and to which all
// transformations apply. What conditions make of several values is documented at [rule.Condition].
package identify
