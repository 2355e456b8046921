// Package jsonpath is RFC 9535, in full.
package jsonpath
