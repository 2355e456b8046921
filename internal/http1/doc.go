// Package http1 reads and checks the heads and bodies of HTTP/1.1 messages (RFC 9112) for somebody who passes them on.
//
// It is stricter than most servers on purpose. Two programs that read the same bytes differently are how requests are
// smuggled, so whatever could be read in two ways is refused, with a [Reason] that names the fault, and nothing is
// repaired. What is accepted is left as it is: names, values, order and white space are parts of the input and can be
// passed on unchanged.
//
// It is pure and allocates nothing in steady state. Strings of a [Request] or [Response] alias the bytes that were
// parsed and are valid as long as those are.
package http1
