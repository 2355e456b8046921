package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// subject is a proxy that is measured.
type subject struct {
	name, title string
	address     string
	// prepare writes the configuration and returns the commands, in the order in which they are started.
	prepare func() ([]*exec.Cmd, error)
	// settles is how long its work goes on after the last answer.
	settles time.Duration

	processes []*exec.Cmd
	costs     []float64 // µs a request, as fast as they go
	paceCost  float64   // µs a request, at a rate
	p50, p99  time.Duration
}

func (s *subject) start(ctx context.Context) error {
	commands, err := s.prepare()
	if err != nil {
		return err
	}
	for _, c := range commands {
		c.Stderr = os.Stderr
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := c.Start(); err != nil {
			return err
		}
		s.processes = append(s.processes, c)
	}
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for {
		if _, err := s.load(ctx, 1, 1); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("it does not answer")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *subject) stop() {
	for _, c := range s.processes {
		_ = c.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = c.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-done
		}
	}
}

// settle waits until what was put off is done, so that it counts.
func (s *subject) settle(ctx context.Context) error {
	if s.settles == 0 {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.settles):
		return nil
	}
}

// tick is the unit of processor time in /proc, the same on every Linux.
const tick = 10 * time.Millisecond

// cpu is the processor time of the processes and of those that they started.
func (s *subject) cpu() (time.Duration, error) {
	var total time.Duration
	for _, pid := range s.pids() {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			return 0, fmt.Errorf("%s has ended: %w", s.name, err)
		}
		// The name is in parentheses and may hold anything; utime and stime are the 12th and 13th field behind it.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		for _, field := range fields[11:13] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(n) * tick
		}
	}
	return total, nil
}

// memory is the resident memory in MB.
func (s *subject) memory() float64 {
	total := 0.0
	for _, pid := range s.pids() {
		data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
		if fields := strings.Fields(string(data)); err == nil && len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1])
			total += float64(pages*os.Getpagesize()) / 1e6
		}
	}
	return total
}

func (s *subject) pids() []int {
	var out []int
	for _, c := range s.processes {
		out = append(out, c.Process.Pid)
	}
	for i := 0; i < len(out); i++ {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", out[i]))
		for _, task := range tasks {
			data, _ := os.ReadFile(task) //nolint:gosec // of a process that was started here
			for _, child := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(child); err == nil {
					out = append(out, pid)
				}
			}
		}
	}
	return out
}

func freeAddress() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // loopback has ports
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
