package live_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/filter"
	"github.com/seshat-project/seshat/internal/live"
)

var start = time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)

// exchange is the nth exchange of a test.
func exchange(n int) seshat.Assigned {
	return seshat.Assigned{
		Session: seshat.SessionID{byte(n >> 8), byte(n), 15: 1},
		Observation: &seshat.Observation{
			Key: seshat.ExchangeKey(n), Time: start, Method: "GET", Host: "shop.example", Path: "/a", Endpoint: "/a", Status: 200 + n%4*100,
		},
	}
}

func exchanges(from, to int) []seshat.Assigned {
	var out []seshat.Assigned
	for n := from; n < to; n++ {
		out = append(out, exchange(n))
	}
	return out
}

// taken takes all that is there, and returns the keys and how many were left out.
func taken(s *live.Subscription) (keys []int, left int, after live.Position) {
	for more := true; more; {
		t := s.Take()
		for i := range t.Items {
			keys = append(keys, int(t.Items[i].Key))
		}
		left += int(t.LeftOut)
		more, after = t.More, t.After
	}
	return keys, left, after
}

func expression(t testing.TB, text string) filter.Expr {
	t.Helper()
	expr, err := filter.Parse(text, filter.Exchanges(), start)
	if err != nil {
		t.Fatal(err)
	}
	return expr
}

func numbers(from, to int) []int {
	var out []int
	for n := from; n < to; n++ {
		out = append(out, n)
	}
	return out
}

// fixed is a clock that stands.
func fixed() time.Time { return start }

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live.NewFeed(fixed)
		f.Publish(exchanges(0, 10), nil)
		synctest.Wait()
		all, errors := f.Subscribe(nil), f.Subscribe(expression(t, "status:>=500"))
		defer all.Close()
		defer errors.Close()
		if keys, _, _ := taken(all); keys != nil {
			t.Errorf("what was there before: %v", keys)
		}
		f.Publish(exchanges(10, 16), nil)
		f.Publish(nil, nil)
		f.Publish(exchanges(16, 400), nil)
		<-all.Wake()
		<-errors.Wake()
		synctest.Wait()
		if keys, left, _ := taken(all); !slices.Equal(keys, numbers(10, 400)) || left != 0 {
			t.Errorf("followed %v, left out %d", keys, left)
		}
		keys, _, _ := taken(errors)
		if len(keys) != 98 || slices.ContainsFunc(keys, func(k int) bool { return k%4 != 3 }) {
			t.Errorf("errors: %v", keys)
		}
	})
}

func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live.NewFeed(fixed)
		s := f.Subscribe(nil)
		f.Publish(exchanges(0, 100), nil)
		synctest.Wait()
		items := s.Take().Items
		s.Close()
		f.Publish(exchanges(100, 200), nil) // while nobody follows
		synctest.Wait()

		text := items[41].After.String()
		after, err := live.ParsePosition(text)
		if err != nil {
			t.Fatal(err)
		}
		again, known := f.Resume(nil, after)
		defer again.Close()
		if keys, left, _ := taken(again); !known || !slices.Equal(keys, numbers(42, 200)) || left != 0 {
			t.Errorf("after %s: known %v, left out %d, %v", text, known, left, keys)
		}

		other := live.NewFeed(fixed)
		stranger, known := other.Resume(nil, after)
		defer stranger.Close()
		if keys, left, _ := taken(stranger); known || left != 0 || keys != nil {
			t.Errorf("in another run: known %v, left out %d, %v", known, left, keys)
		}
	})
}

// TestGone checks that who comes back too late is told what is gone.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live.NewFeed(time.Now)
		s := f.Subscribe(nil)
		f.Publish(exchanges(0, 10), nil)
		synctest.Wait()
		_, _, after := taken(s)
		s.Close()
		time.Sleep(time.Hour) // of the clock of the test
		f.Publish(exchanges(10, 30), nil)
		synctest.Wait()
		again, known := f.Resume(nil, after)
		defer again.Close()
		f.Publish(exchanges(30, 32), nil)
		synctest.Wait()
		if keys, left, _ := taken(again); !known || left != 20 || !slices.Equal(keys, numbers(30, 32)) {
			t.Errorf("known %v, left out %d, %v", known, left, keys)
		}
	})
}

// TestSlow checks that a reader that does not read costs nothing but what it misses, and is told of all of it.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live.NewFeed(fixed)
		s := f.Subscribe(nil)
		defer s.Close()
		const batches, size = 40, 4000
		for b := range batches {
			f.Publish(exchanges(b*size, (b+1)*size), nil)
			synctest.Wait()
		}
		keys, left, _ := taken(s)
		if left == 0 || left+len(keys) != batches*size || keys[len(keys)-1] != batches*size-1 {
			t.Errorf("left out %d and read %d of %d", left, len(keys), batches*size)
		}
		if len(keys) != 1<<15 {
			t.Errorf("%d are kept", len(keys))
		}
	})
}

// TestHeavy checks that exchanges that are large are kept in lower numbers.
func TestHeavy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := live.NewFeed(fixed)
		s := f.Subscribe(nil)
		defer s.Close()
		batch := exchanges(0, 2000)
		for i := range batch {
			batch[i].Parameters = []seshat.Parameter{{Name: "long", Value: string(make([]byte, 100_000))}}
		}
		f.Publish(batch, nil)
		synctest.Wait()
		if keys, left, _ := taken(s); len(keys) < 300 || len(keys) > 340 || left != 2000-len(keys) {
			t.Errorf("%d of 100 kB are kept, %d left out", len(keys), left)
		}
		f.Publish(exchanges(0, 5000), nil)
		synctest.Wait()
		if keys, left, _ := taken(s); len(keys) != 5000 || left != 0 {
			t.Errorf("%d small ones are kept, %d left out", len(keys), left)
		}
	})
}

// TestNobodyWaits publishes more than can be worked on, and checks that all of it is accounted for.
func TestNobodyWaits(t *testing.T) {
	f := live.NewFeed(fixed)
	s := f.Subscribe(nil)
	defer s.Close()
	const batches, size = 200, 8192
	batch := exchanges(0, size)
	for range batches {
		f.Publish(batch, nil)
	}
	// What was left out last is known once something else comes.
	deadline := time.Now().Add(10 * time.Second)
	for f.Rates(live.Ask{}).Total < batches*size {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d were counted", f.Rates(live.Ask{}).Total, batches*size)
		}
		f.Publish(exchanges(1, 2), nil)
		runtime.Gosched()
	}
	keys, left, after := taken(s)
	if got := f.Rates(live.Ask{}); left+len(keys) < batches*size || after == got.Position && uint64(left+len(keys)) != got.Total {
		t.Errorf("read %d, left out %d, of %d", len(keys), left, got.Total)
	}
}

// TestEveryReaderHasTheSame follows with readers that come, go and come back, at the same time: each sees each exchange once.
func TestEveryReaderHasTheSame(t *testing.T) {
	before := runtime.NumGoroutine()
	f := live.NewFeed(time.Now)
	keep := f.Subscribe(nil)
	var readers sync.WaitGroup
	const count = 20_000
	for r := range 10 {
		first := f.Subscribe(nil)
		readers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(r)))
			s, want := first, 0
			for want < count {
				t1 := s.Take()
				for i := range t1.Items {
					if got := int(t1.Items[i].Key); got != want {
						t.Errorf("reader %d: %d comes after %d", r, got, want-1)
						return
					}
					want++
				}
				switch {
				case t1.LeftOut > 0:
					t.Errorf("reader %d: %d left out", r, t1.LeftOut)
					return
				case random.IntN(3) == 0: // its connection breaks
					s.Close()
					s, _ = f.Resume(nil, t1.After)
				case !t1.More && want < count:
					<-s.Wake()
				}
			}
			s.Close()
		})
	}
	for n := 0; n < count; n += 100 {
		f.Publish(exchanges(n, n+100), nil)
	}
	readers.Wait()
	keep.Close()
	f.Close()
	f.Close()
	<-f.Done()
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines are left of %d", runtime.NumGoroutine(), before)
}

// TestFeedModel holds a feed against a list, whatever is done with it.
func TestFeedModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			f := live.NewFeed(fixed)
			published := 0
			type reader struct {
				*live.Subscription
				next int
			}
			var readers []*reader
			base := f.Subscribe(nil) // so that all is kept
			defer base.Close()
			for range rapid.IntRange(1, 40).Draw(rt, "steps") {
				switch what := rapid.IntRange(0, 3).Draw(rt, "what"); {
				case what == 0:
					readers = append(readers, &reader{f.Subscribe(nil), published})
				case what == 1 && len(readers) > 0:
					r := readers[rapid.IntRange(0, len(readers)-1).Draw(rt, "reader")]
					t1 := r.Take()
					if int(t1.LeftOut) > 0 {
						r.next += int(t1.LeftOut)
					}
					for i := range t1.Items {
						if int(t1.Items[i].Key) != r.next {
							rt.Fatalf("%d comes in place of %d", t1.Items[i].Key, r.next)
						}
						r.next++
					}
					if t1.More != (r.next < published) {
						rt.Fatalf("more: %v, at %d of %d", t1.More, r.next, published)
					}
					if rapid.Bool().Draw(rt, "resume") {
						r.Close()
						p, err := live.ParsePosition(t1.After.String())
						if err != nil {
							rt.Fatal(err)
						}
						r.Subscription, _ = f.Resume(nil, p)
					}
				default:
					n := rapid.IntRange(0, 9000).Draw(rt, "published")
					f.Publish(exchanges(published, published+n), nil)
					published += n
					synctest.Wait()
				}
			}
			for _, r := range readers {
				r.Close()
			}
		})
	})
}

func TestPositions(t *testing.T) {
	f := func(text string, want bool) {
		t.Helper()
		p, err := live.ParsePosition(text)
		if (err == nil) != want || want && p.String() != text {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	f("0123456789ab-1", true)
	f("0123456789ab-18446744073709551615", true)
	f("0123456789ab-18446744073709551616", false)
	f("0123456789ab-01", false)
	f("0123456789ab--1", false)
	f("0123456789ab-+1", false)
	f("0123456789ab-", false)
	f("0123456789ab", false)
	f("0123456789a-1", false)
	f("0123456789AB-1", false)
	f("0123456789ag-1", false)
	f("", false)
	f("-", false)
	f(fmt.Sprintf("0123456789ab-%060d", 1), false)
	if !(live.Position{}).IsZero() || (live.Position{}).String() != "" {
		t.Error("no position has a text")
	}
}

func FuzzParsePosition(f *testing.F) {
	f.Add("0123456789ab-1")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := live.ParsePosition(text); err == nil && p.String() != text {
			t.Errorf("%q prints as %q", text, p)
		}
	})
}
