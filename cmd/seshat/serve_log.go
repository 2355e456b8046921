package main

import "log/slog"

// logger is where a part of an instance logs: warnings always, and what else happens with --verbose. An instance that
// serves cannot say on the screen what it has to say.
func (s *service) logger(part string) *slog.Logger {
	level := slog.LevelWarn
	if s.app.verbose {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(s.app.stderr, options)
	if s.app.log == "json" {
		handler = slog.NewJSONHandler(s.app.stderr, options)
	}
	return slog.New(handler).With("part", part)
}
