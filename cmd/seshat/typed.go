package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// typed is a command as it can be typed in another terminal: with this program, wherever it is, on this data directory.
func (a *app) typed(command string) string {
	text := programName() + " " + command
	if a.dataNamed {
		data := a.data
		if whole, err := filepath.Abs(data); err == nil {
			data = whole
		}
		text += " --data " + quoted(data)
	}
	return text
}

// programName is what this program is called by: its name when a shell finds it by that, else its path.
func programName() string {
	const name = "seshat"
	self, err := os.Executable()
	if err != nil {
		return name
	}
	if found, err := exec.LookPath(name); err == nil && sameFile(found, self) {
		return name
	}
	return quoted(self)
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// quoted is a text as one word of a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,", r) || r >= 0x80
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
