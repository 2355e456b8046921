// Package tail follows access logs while they are written, and hands on each line as an exchange.
//
// It reads on where it stopped, also after the file was renamed, emptied, or after the program was gone for a while:
// what it has handed on is written down in a file of its own (docs/formats/log-position.md), once the sink says that it
// is settled.
package tail
