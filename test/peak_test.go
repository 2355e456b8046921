package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// A process counts what its parent had when it was started as its own peak, and this one is large. So a small one in
// between starts the program, and writes down what it needed: this test program again, with these variables.
const (
	measuredProgram = "SCENARIO_MEASURED_PROGRAM"
	measuredPeak    = "SCENARIO_MEASURED_PEAK"
)

// measured runs the program and returns also the most memory that it ever had, in bytes; 0 where the system does not say.
func (s *seshat) measured(args ...string) (*result, int64) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	peak := filepath.Join(s.t.TempDir(), "peak")
	cmd := s.command(ctx, args...)
	cmd.Env = append(cmd.Env, measuredProgram+"="+cmd.Path, measuredPeak+"="+peak)
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Path, cmd.Args[0] = self, self
	r := finish(s.t, cmd, args)
	return r, readPeak(s.t, peak)
}

func readPeak(t testing.TB, path string) int64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// measure is the process in between.
func measure(program string, args []string, peak string) int {
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run() // its exit code is passed on
	if err := os.WriteFile(peak, []byte(strconv.FormatInt(peakOf(cmd.ProcessState), 10)), 0o600); err != nil {
		return -1
	}
	return cmd.ProcessState.ExitCode()
}
