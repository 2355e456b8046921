//go:build !unix

package main

import "os"

// ignoreFileSizeSignal does nothing: there is no such signal here.
func ignoreFileSizeSignal() {}

// hangups delivers nothing: there is no such signal here.
func hangups() (signals <-chan os.Signal, stop func()) { return nil, func() {} }
