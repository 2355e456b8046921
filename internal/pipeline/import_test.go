package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/correlate"
	"github.com/seshat-project/seshat/internal/identify"
	"github.com/seshat-project/seshat/internal/ingest"
	"github.com/seshat-project/seshat/internal/ingest/ndjson"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/rule"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

func importer(t *testing.T, s store.Store) *pipeline.Importer {
	t.Helper()
	rules, faults := rule.Compile(nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	digester := protect.NewDigester([]byte("a key of thirty-two bytes, no less"))
	return &pipeline.Importer{
		Store: s, Engine: identify.New(rules, digester), Digester: digester,
		Correlation: correlate.DefaultConfig(func(first seshat.Digest, start time.Time) seshat.SessionID {
			return seshat.SessionID(digester.HashLabelled("session", first.String(), start.UTC().String()))
		}),
		SpoolDir: filepath.Join(t.TempDir(), "spool"), Workers: 2, Now: time.Now,
	}
}

func input(name string, lines ...string) pipeline.Input {
	return pipeline.Input{Name: name, Reader: ndjson.NewReader(strings.NewReader(strings.Join(lines, "\n") + "\n"))}
}

// visit is one exchange of a visitor with a session cookie; without an id the line's content is its identity.
func visit(second int, id, session string) string {
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC).Add(time.Duration(second) * time.Second).Format(time.RFC3339Nano)
	if id != "" {
		id = fmt.Sprintf(`"id":%q,`, id)
	}
	return fmt.Sprintf(`{%s"time":%q,"client":{"ip":"203.0.113.9"},"request":{"method":"GET","host":"shop.example","path":"/",`+
		`"headers":[["Cookie","PHPSESSID=%s"],["User-Agent","test"]]},"response":{"status":200}}`, id, at, session)
}

// sessions reads the sessions of a store as "exchanges of each, by start".
func sessions(t *testing.T, s store.Store) string {
	t.Helper()
	var list []*seshat.Session
	err := s.Sessions(context.Background(), store.Query{Now: time.Now(), OldestFirst: true}, func(one *seshat.Session) bool {
		c := *one
		list = append(list, &c)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b *seshat.Session) int { return a.FirstSeen.Compare(b.FirstSeen) })
	var b strings.Builder
	for _, one := range list {
		fmt.Fprintf(&b, "%s:%d ", one.ID.String()[:8], one.Exchanges)
	}
	return b.String()
}

func TestImportCounts(t *testing.T) {
	f := func(name string, inputs []pipeline.Input, want pipeline.Summary) {
		t.Helper()
		s := memory.New(time.Now)
		got, err := importer(t, s).Import(context.Background(), inputs, pipeline.Reports{})
		got.Seconds = 0
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %+v and error %v, want %+v", name, got, err, want)
		}
	}
	f("nothing", nil, pipeline.Summary{})
	f("two sessions", []pipeline.Input{input("a", visit(0, "1", "aaaaaaaaaaaaaaaa1"), visit(1, "2", "bbbbbbbbbbbbbbbb2"), visit(2, "3", "aaaaaaaaaaaaaaaa1"))},
		pipeline.Summary{Read: 3, Stored: 3, Sessions: 2})
	f("bad lines lose nothing good", []pipeline.Input{input("a", visit(0, "1", "aaaaaaaaaaaaaaaa1"), "{", "not json", visit(1, "2", "aaaaaaaaaaaaaaaa1"))},
		pipeline.Summary{Read: 2, Stored: 2, Bad: 2, Sessions: 1})
	f("one ID twice is one exchange", []pipeline.Input{input("a", visit(0, "1", "aaaaaaaaaaaaaaaa1"), visit(0, "1", "aaaaaaaaaaaaaaaa1"))},
		pipeline.Summary{Read: 2, Stored: 1, Duplicates: 1, Sessions: 1})
	f("equal lines without an ID are two", []pipeline.Input{input("a", visit(0, "", "aaaaaaaaaaaaaaaa1"), visit(0, "", "aaaaaaaaaaaaaaaa1"))},
		pipeline.Summary{Read: 2, Stored: 2, Sessions: 1})
	f("one file under two names is one", []pipeline.Input{
		input("a", visit(0, "", "aaaaaaaaaaaaaaaa1"), visit(0, "", "aaaaaaaaaaaaaaaa1")),
		input("b", visit(0, "", "aaaaaaaaaaaaaaaa1"), visit(0, "", "aaaaaaaaaaaaaaaa1")),
	}, pipeline.Summary{Read: 4, Stored: 2, Duplicates: 2, Sessions: 1})
}

func TestImportAgainChangesNothing(t *testing.T) {
	s := memory.New(time.Now)
	im := importer(t, s)
	lines := []string{visit(0, "", "aaaaaaaaaaaaaaaa1"), visit(1, "x", "aaaaaaaaaaaaaaaa1"), visit(2, "", "bbbbbbbbbbbbbbbb2")}
	if _, err := im.Import(context.Background(), []pipeline.Input{input("a", lines...)}, pipeline.Reports{}); err != nil {
		t.Fatal(err)
	}
	before := sessions(t, s)
	again, err := im.Import(context.Background(), []pipeline.Input{input("a", lines...)}, pipeline.Reports{})
	if err != nil || again.Stored != 0 || again.Duplicates != 3 || again.Sessions != 0 {
		t.Errorf("second import: %+v, %v; want 3 duplicates and nothing stored", again, err)
	}
	if after := sessions(t, s); after != before {
		t.Errorf("sessions after the second import: %s, want %s", after, before)
	}
	grown, err := im.Import(context.Background(), []pipeline.Input{input("a", append(lines, visit(3, "", "bbbbbbbbbbbbbbbb2"))...)}, pipeline.Reports{})
	if err != nil || grown.Stored != 1 || grown.Duplicates != 3 {
		t.Errorf("import of the grown file: %+v, %v; want one stored", grown, err)
	}
}

func TestOrderOfLinesAndFilesDoesNotMatter(t *testing.T) {
	var lines []string
	for i := range 400 {
		lines = append(lines, visit(i, fmt.Sprint(i), fmt.Sprintf("session-%08d", i%7)))
	}
	one := memory.New(time.Now)
	if _, err := importer(t, one).Import(context.Background(), []pipeline.Input{input("a", lines...)}, pipeline.Reports{}); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	several := memory.New(time.Now)
	inputs := []pipeline.Input{input("c", lines[:100]...), input("a", lines[100:101]...), input("b", lines[101:]...)}
	if _, err := importer(t, several).Import(context.Background(), inputs, pipeline.Reports{}); err != nil {
		t.Fatal(err)
	}
	if a, b := sessions(t, one), sessions(t, several); a != b {
		t.Errorf("in order: %s\nshuffled over three files: %s", a, b)
	}
}

// failing is a reader that ends with an error after some exchanges.
type failing struct {
	ingest.Reader
	left int
}

var errCut = errors.New("the file is cut") //nolint:gochecknoglobals // an error

func (f *failing) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	if f.left--; f.left < 0 {
		return nil, ingest.Position{}, errCut
	}
	return f.Reader.Read(ctx)
}

func TestFailedInputDoesNotStopTheOthers(t *testing.T) {
	s := memory.New(time.Now)
	broken := input("broken", visit(0, "1", "aaaaaaaaaaaaaaaa1"), visit(1, "2", "aaaaaaaaaaaaaaaa1"))
	broken.Reader = &failing{Reader: broken.Reader, left: 1}
	var failed []string
	summary, err := importer(t, s).Import(context.Background(), []pipeline.Input{broken, input("good", visit(2, "3", "aaaaaaaaaaaaaaaa1"))},
		pipeline.Reports{Failed: func(name string, err error) {
			if errors.Is(err, errCut) {
				failed = append(failed, name)
			}
		}})
	if err != nil || summary.Stored != 2 || !slices.Equal(failed, []string{"broken"}) {
		t.Errorf("summary %+v, error %v, failed %v; want 2 stored and only the broken input reported", summary, err, failed)
	}
}

// cancelling cancels the import after some exchanges.
type cancelling struct {
	ingest.Reader
	left   int
	cancel context.CancelFunc
}

func (c *cancelling) Read(ctx context.Context) (*seshat.Exchange, ingest.Position, error) {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return c.Reader.Read(ctx)
}

func TestCancelledImportCanBeRunAgain(t *testing.T) {
	s := memory.New(time.Now)
	im := importer(t, s)
	var lines []string
	for i := range 50 {
		lines = append(lines, visit(i, fmt.Sprint(i), "aaaaaaaaaaaaaaaa1"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	in := input("a", lines...)
	in.Reader = &cancelling{Reader: in.Reader, left: 20, cancel: cancel}
	if _, err := im.Import(ctx, []pipeline.Input{in}, pipeline.Reports{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled import: %v, want context.Canceled", err)
	}
	summary, err := im.Import(context.Background(), []pipeline.Input{input("a", lines...)}, pipeline.Reports{})
	if err != nil || summary.Stored+summary.Duplicates != 50 {
		t.Errorf("import after a cancelled one: %+v, %v", summary, err)
	}
	if got := sessions(t, s); !strings.HasSuffix(strings.TrimSpace(got), ":50") {
		t.Errorf("sessions: %s, want one of 50 exchanges", got)
	}
}
