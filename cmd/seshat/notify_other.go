//go:build !linux

package main

// monotonicMicroseconds is for systemd, which is elsewhere.
func monotonicMicroseconds() int64 { return 0 }
