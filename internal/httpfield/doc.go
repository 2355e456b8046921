// Package httpfield reads the parts of HTTP messages that can hold a session ID: cookies, parameters, path segments,
// forms, credentials, and content codings. Everything it reads comes from strangers, so nothing here fails loudly,
// panics, or grows without a bound; what cannot be read is skipped or kept as it was sent, as each function says.
//
// Strings that are returned are parts of the input, or of the caller's [Scratch] where they had to be decoded.
// Nothing is allocated in the common case.
package httpfield
