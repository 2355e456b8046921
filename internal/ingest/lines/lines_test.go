package lines

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/ingest"
)

type cutLine struct {
	text   string
	line   int64
	offset int64
}

func readAll(r *Reader) (got []cutLine, tooLong []int64, err error) {
	for {
		text, at, err := r.Next(context.Background())
		var bad *ingest.BadRecord
		switch {
		case errors.As(err, &bad):
			tooLong = append(tooLong, at.Line)
		case errors.Is(err, io.EOF):
			return got, tooLong, nil
		case err != nil:
			return got, tooLong, err
		default:
			got = append(got, cutLine{string(text), at.Line, at.Offset})
		}
	}
}

// slowCut cuts s the obvious way.
func slowCut(s string, limit int) (got []cutLine, tooLong []int64) {
	offset := 0
	for i, line := range strings.SplitAfter(s, "\n") {
		at := cutLine{strings.TrimSuffix(line, "\n"), int64(i + 1), int64(offset)}
		offset += len(line)
		if line == "" {
			continue
		}
		if len(at.text) > limit {
			tooLong = append(tooLong, at.line)
			continue
		}
		if at.offset == 0 && strings.HasPrefix(at.text, "\ufeff") {
			at.text, at.offset = strings.TrimPrefix(at.text, "\ufeff"), 3
		}
		if at.text = strings.TrimSuffix(at.text, "\r"); strings.TrimSpace(at.text) != "" {
			got = append(got, at)
		}
	}
	return got, tooLong
}

func TestCutsLikeSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching("(\ufeff)?([ab \r]{0,40}\n|c{0,9}){0,20}").Draw(t, "text")
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		var src io.Reader = strings.NewReader(text)
		switch rapid.IntRange(0, 2).Draw(t, "source") {
		case 0:
			src = iotest.OneByteReader(src)
		case 1:
			src = iotest.DataErrReader(src)
		}
		got, tooLong, err := readAll(newReader(src, limit, rapid.IntRange(1, 64).Draw(t, "buffer")))
		if err != nil {
			t.Fatal(err)
		}
		want, wantLong := slowCut(text, limit)
		if len(got) != len(want) || len(tooLong) != len(wantLong) {
			t.Fatalf("%q with limit %d: %v and too long %v, want %v and %v", text, limit, got, tooLong, want, wantLong)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%q: line %v, want %v", text, got[i], want[i])
			}
		}
		for i := range wantLong {
			if tooLong[i] != wantLong[i] {
				t.Fatalf("%q: too long %v, want %v", text, tooLong, wantLong)
			}
		}
	})
}

type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	if e.left -= n; e.left == 0 {
		return n, io.EOF
	}
	return n, nil
}

func TestLongLineIsNotHeld(t *testing.T) {
	const limit = 1 << 12
	r := newReader(io.MultiReader(&endless{64 << 20}, strings.NewReader("\nnext\n")), limit, 64)
	got, tooLong, err := readAll(r)
	if err != nil || len(tooLong) != 1 || len(got) != 1 || got[0] != (cutLine{"next", 2, 64<<20 + 1}) {
		t.Errorf("lines %v, too long %v, %v", got, tooLong, err)
	}
	if len(r.buf) > 4*limit {
		t.Errorf("the buffer grew to %d bytes for a limit of %d", len(r.buf), limit)
	}
}

func TestErrorOfTheSourceIsFinal(t *testing.T) {
	broken := errors.New("broken")
	got, _, err := readAll(NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken))))
	if !errors.Is(err, broken) || err.Error() != "line 2: broken" {
		t.Errorf("error %v, want line 2: broken", err)
	}
	if len(got) != 1 || got[0].text != "a" {
		t.Errorf("lines %v, want a alone: b may be cut off", got)
	}
}

func TestContextEndsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := NewReader(strings.NewReader("a\n")).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
}
