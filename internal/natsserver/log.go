package natsserver

import (
	"fmt"
	"log/slog"
)

// serverLog writes the log of a NATS server to slog. Nobody follows the notices of a server that is a part of another
// program, so that they are of debug level.
type serverLog struct{ logger *slog.Logger }

func (l serverLog) Noticef(format string, v ...any) {
	l.logger.Debug("nats: " + fmt.Sprintf(format, v...)) //nolint:sloglint // texts of another program
}

func (l serverLog) Debugf(format string, v ...any) { l.Noticef(format, v...) }
func (l serverLog) Tracef(format string, v ...any) { l.Noticef(format, v...) }

func (l serverLog) Warnf(format string, v ...any) {
	l.logger.Warn("nats: " + fmt.Sprintf(format, v...)) //nolint:sloglint // as above
}

func (l serverLog) Errorf(format string, v ...any) {
	l.logger.Error("nats: " + fmt.Sprintf(format, v...)) //nolint:sloglint // as above
}

// Fatalf logs only: what ends a server of its own must not end this process, and JetStream's failure is returned.
func (l serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }
