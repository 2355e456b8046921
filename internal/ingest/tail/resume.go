package tail

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat/internal/ingest/accesslog"
	"github.com/seshat-project/seshat/internal/ingest/lines"
)

// openLog opens a file of a log to be read from its beginning.
func openLog(name string) (*logFile, error) {
	file, err := os.Open(name) //nolint:gosec // the operator named it
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a file")
	}
	if err != nil {
		_ = file.Close() // it was only opened
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	device, inode := identity(info)
	return &logFile{file: file, name: name, device: device, inode: inode}, nil
}

// resume opens what is to be read, in order: the rest of the file in which reading stopped, wherever it was renamed to,
// the files that came after it, and the log itself. The first time it is the end of the log.
func (f *Follower) resume(saved *position) ([]*logFile, error) {
	current, err := openLog(f.config.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.complain("a log cannot be opened", err)
	}
	if saved == nil {
		if current == nil {
			return nil, nil // and from its beginning when it is there
		}
		size, err := current.file.Seek(0, io.SeekEnd)
		if err != nil {
			return nil, fmt.Errorf("find the end of %s: %w", f.config.Path, err)
		}
		if current.start, err = afterLine(current.file, size); err != nil {
			return nil, fmt.Errorf("find the end of %s: %w", f.config.Path, err)
		}
		return []*logFile{current}, nil
	}
	f.at = *saved
	if current != nil && current.continues(saved) {
		return []*logFile{current}, nil
	}
	older := f.older(saved)
	if len(older) == 0 && (saved.Inode != 0 || saved.Offset >= 0) { // otherwise there was no log yet
		f.config.Logger.Warn("a log was replaced since it was read, and the file that was read is gone: lines may be missing",
			"log", f.config.Path)
	}
	if current != nil {
		older = append(older, current)
	}
	return older, nil
}

// afterLine returns the end of a file's last complete line: what stands behind it is being written.
func afterLine(file *os.File, size int64) (int64, error) {
	const most = 64 << 10 // a line that is longer is skipped
	from := max(0, size-most)
	tail := make([]byte, size-from)
	if _, err := file.ReadAt(tail, from); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if i := bytes.LastIndexByte(tail, '\n'); i >= 0 {
		return from + int64(i) + 1, nil
	}
	return from, nil
}

// continues reports whether a file is the one that was read, and prepares it for being read on.
func (l *logFile) continues(p *position) bool {
	if l.device != p.Device || l.inode != p.Inode {
		return false
	}
	if p.Offset < 0 {
		info, err := l.file.Stat()
		l.start, l.resumed = p.Start, true
		return err == nil && info.Size() >= p.Start
	}
	line, err := readLine(l.file, p.Offset)
	if err != nil || p.Content != 0 && xxh3.Hash(line) != p.Content {
		return false
	}
	l.start, l.resumed = p.Offset, true
	return true
}

// readLine reads the line at an offset, as [lines.Reader] gives it out.
func readLine(file *os.File, offset int64) ([]byte, error) {
	r := bufio.NewReader(io.NewSectionReader(file, offset, lines.MaxLine))
	line, err := r.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(line) == 0 {
		return nil, io.EOF
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r")), nil
}

// older finds the file that was read, which was renamed since, and those that came after it: "access.log.1" and the
// like. Packed files are passed over: a log that is packed as soon as it is renamed needs delaycompress.
func (f *Follower) older(saved *position) []*logFile {
	folder, base := filepath.Split(f.config.Path)
	entries, err := os.ReadDir(filepath.Clean(folder + "."))
	if err != nil {
		return nil
	}
	type candidate struct {
		*logFile
		changed time.Time
	}
	var found []candidate
	first := -1
	for _, entry := range entries {
		name := entry.Name()
		if !rotated(name, base) {
			continue
		}
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		file, err := openLog(filepath.Join(folder, name))
		if err != nil {
			continue
		}
		if file.continues(saved) {
			first = len(found)
		}
		found = append(found, candidate{file, info.ModTime()})
	}
	var out []*logFile
	var since time.Time
	if first >= 0 {
		since = found[first].changed
	}
	slices.SortFunc(found, func(a, b candidate) int { return a.changed.Compare(b.changed) })
	for _, c := range found {
		if first >= 0 && (c.resumed || c.changed.After(since) && len(out) > 0) {
			out = append(out, c.logFile)
		} else {
			_ = c.file.Close() // it was only looked at
		}
	}
	return out
}

// rotated reports whether name is that of an older file of the log base: "access.log.1", "access.log-20260102",
// "access-20260102.log".
func rotated(name, base string) bool {
	extension := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, base)
	if !ok {
		if rest, ok = strings.CutPrefix(name, strings.TrimSuffix(base, extension)); !ok || extension == "" {
			return false
		}
		if rest, ok = strings.CutSuffix(rest, extension); !ok {
			return false
		}
	}
	return len(rest) > 1 && strings.Trim(rest, "0123456789.-_T") == "" && strings.ContainsAny(rest[:1], ".-_")
}

// sampleBytes and sampleLines are how much of a log its format is found by.
const (
	sampleBytes = 64 << 10
	sampleLines = 20
)

// errFormat says that the first lines of a log tell nothing.
var errFormat = errors.New("the format of its lines is not known")

// format returns the format of the log and a reader of all of it. It waits for the first line.
func (f *Follower) format(g *growing) (*accesslog.Format, io.Reader, error) {
	if f.config.Format != nil {
		return f.config.Format, g, nil
	}
	buffer := bufio.NewReaderSize(g, sampleBytes)
	for want := 1; ; want = buffer.Buffered() + 1 {
		_, err := buffer.Peek(min(want, sampleBytes)) // waits for that much
		sample, _ := buffer.Peek(buffer.Buffered())
		if end := bytes.LastIndexByte(sample, '\n'); end >= 0 {
			all := slices.DeleteFunc(bytes.Split(sample[:end], []byte("\n")), func(line []byte) bool {
				line = bytes.TrimSpace(line)
				return len(line) == 0 || line[0] == '#'
			})
			if format, ok := accesslog.Detect(all[:min(len(all), sampleLines)]); ok {
				f.config.Format = format
				f.config.Logger.Info("the format of a log was found", "log", f.config.Path, "format", format.Name())
				return format, buffer, nil
			}
			f.complain("the format of a log is not known yet", errFormat)
		}
		switch {
		case err != nil:
			return nil, nil, err
		case len(sample) == sampleBytes:
			return nil, nil, errFormat
		}
	}
}
