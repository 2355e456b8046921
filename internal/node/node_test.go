package node_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/natskv"
	"github.com/seshat-project/seshat/internal/natsserver"
	"github.com/seshat-project/seshat/internal/node"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
	"github.com/seshat-project/seshat/internal/store/memory"
)

// most is how long anything in these tests may take.
const most = time.Minute

// options are those of a node of one process in a folder, which records in memory.
func options(folder string, s store.Store) node.Options {
	return node.Options{
		KeyFile: filepath.Join(folder, "digest.key"), NodeFile: filepath.Join(folder, "node"), JournalBytes: 64 << 20,
		Server: &natsserver.Options{Dir: filepath.Join(folder, "nats")}, Store: s,
		Publisher: pipeline.PublisherConfig{MaxDelay: time.Millisecond},
	}
}

func start(t testing.TB, o node.Options) *node.Node {
	t.Helper()
	n, err := tryStart(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tryStart(t testing.TB, o node.Options) (*node.Node, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	return node.Start(ctx, o)
}

func end(t testing.TB, n *node.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

// pass lets an exchange through.
func pass(t testing.TB, n *node.Node, token string) {
	t.Helper()
	x := &seshat.Exchange{Time: time.Now(), Service: "shop.example"}
	x.Client.IP = netip.MustParseAddr("203.0.113.9")
	x.Request.Method, x.Request.Scheme, x.Request.Host, x.Request.Path = "GET", "https", "shop.example", "/orders"
	x.Request.Header = []seshat.Field{{Name: "Authorization", Value: token}}
	g := n.Inline.Begin(x)
	x.Response.Status = http.StatusOK
	if err := g.End(context.Background(), x); err != nil {
		t.Error(err)
	}
}

func count(t testing.TB, s store.Store) int {
	t.Helper()
	n := 0
	err := s.Sessions(context.Background(), store.Query{Now: time.Now()}, func(x *seshat.Session) bool {
		n += int(x.Exchanges)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCloseStoresEverything ends a node, and starts it again with its number and its key.
func TestCloseStoresEverything(t *testing.T) {
	folder, s := t.TempDir(), memory.New(time.Now)
	var events []seshat.Event
	o := options(folder, s)
	o.Events = func(e []seshat.Event) { events = append(events, e...) }
	n := start(t, o)
	for range 100 {
		pass(t, n, "Bearer one-0123456789")
	}
	end(t, n)
	if got := count(t, s); got != 100 {
		t.Errorf("%d of 100 exchanges are stored", got)
	}
	if len(events) != 1 || events[0].Type != seshat.EventStart {
		t.Errorf("the events are %+v", events)
	}
	files := func() (out [2]string) {
		for i, name := range []string{"node", "digest.key"} {
			data, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			out[i] = string(data)
			if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s is for %v", name, info.Mode())
			}
		}
		return out
	}
	before := files()
	n = start(t, options(folder, s))
	pass(t, n, "Bearer one-0123456789")
	end(t, n)
	if files() != before {
		t.Error("a restart changes the number of the node, or its key")
	}
	if got := count(t, s); got != 101 {
		t.Errorf("%d of 101 exchanges are stored", got)
	}
}

// TestDamagedNumber replaces what is no number.
func TestDamagedNumber(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "node")
	if err := os.WriteFile(name, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	end(t, start(t, options(folder, memory.New(time.Now))))
	if data, err := os.ReadFile(name); err != nil || string(data) == "nonsense\n" {
		t.Errorf("the number is %q (%v)", data, err)
	}
}

// TestFleetHasOneKey joins processes to one NATS server: without a key, with another one, and with the right one.
func TestFleetHasOneKey(t *testing.T) {
	first := t.TempDir()
	const token = "0123456789abcdef0123456789abcdef"
	o := options(first, memory.New(time.Now))
	o.Server.Listen, o.Server.Token = "127.0.0.1:0", token
	one := start(t, o)
	defer end(t, one)
	second := t.TempDir()
	join := options(second, nil)
	join.Server = nil
	join.Remote = &node.Remote{URL: "nats://" + one.Server.Address(), DialOptions: natsserver.DialOptions{Token: token}}
	f := func(want string) {
		t.Helper()
		n, err := tryStart(t, join)
		if err == nil {
			end(t, n)
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "copy the file from one of them") {
			t.Errorf("the error is %v; want one with %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Error("the error has the token")
		}
	}
	f("there is none, and other nodes use one")
	if _, err := os.Stat(join.KeyFile); !errors.Is(err, os.ErrNotExist) {
		t.Error("a key was made that nobody else has")
	}
	end(t, start(t, options(t.TempDir(), memory.New(time.Now)))) // one that has nothing to do with them is not disturbed
	other := t.TempDir()
	end(t, start(t, options(other, memory.New(time.Now))))
	copyFile(t, filepath.Join(other, "digest.key"), join.KeyFile)
	f("and other nodes use")
	copyFile(t, filepath.Join(first, "digest.key"), join.KeyFile)
	n := start(t, join)
	if n.Recorder != nil {
		t.Error("a node without a store records")
	}
	end(t, n)
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRotatedKeyOfOne lets a process that is alone have another key.
func TestRotatedKeyOfOne(t *testing.T) {
	folder := t.TempDir()
	end(t, start(t, options(folder, memory.New(time.Now))))
	if err := os.Remove(filepath.Join(folder, "digest.key")); err != nil {
		t.Fatal(err)
	}
	end(t, start(t, options(folder, memory.New(time.Now))))
}

// TestBrokenResources changes a resource behind everybody's back to what cannot be compiled: a node that runs keeps what was
// in force and says so, and one that starts does not start by half.
func TestBrokenResources(t *testing.T) {
	folder := t.TempDir()
	n := start(t, options(folder, memory.New(time.Now)))
	const rule = "apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: shop}\nspec: {identifiers: [{cookie: SHOP}]}\n"
	parsed, faults := resource.Parse("rule.yaml", []byte(rule))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if _, err := n.Registry.Apply(ctx, parsed, resource.ApplyOptions{Author: resource.Author{By: "test", At: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	until(t, "the rule is in force", func() bool { return len(n.Rules().Rules()) == 1 })
	conn, err := n.Server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := natskv.OpenConn(ctx, conn, natskv.Options{Bucket: node.ResourceBucket})
	if err != nil {
		t.Fatal(err)
	}
	breakResource(ctx, t, raw)
	until(t, "it says that the newest resources are not in force", func() bool { return n.ResourcesError() != nil })
	if len(n.Rules().Rules()) != 1 {
		t.Error("the rule is not in force any more")
	}
	pass(t, n, "Bearer two-0123456789")
	if err := raw.Close(); err != nil {
		t.Error(err)
	}
	end(t, n)
	if n, err := tryStart(t, options(folder, memory.New(time.Now))); err == nil {
		end(t, n)
		t.Error("it starts with resources that cannot be read")
	} else if !strings.Contains(err.Error(), "shop") {
		t.Errorf("the error does not say which: %v", err)
	}
}

// breakResource damages what is stored of the rule.
func breakResource(ctx context.Context, t testing.TB, raw kv.Store) {
	t.Helper()
	entries, err := raw.List(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for _, entry := range entries {
		if strings.Contains(entry.Key, "shop") {
			entry.Value = []byte("{")
			broken++
		} else {
			defer func() { // the record of changes, last: that is what makes others look
				if _, err := raw.Put(ctx, entry.Key, entry.Value, kv.Any); err != nil {
					t.Error(err)
				}
			}()
			continue
		}
		if _, err := raw.Put(ctx, entry.Key, entry.Value, kv.Any); err != nil {
			t.Fatal(err)
		}
	}
	if broken == 0 {
		t.Fatal("the rule is not in the bucket")
	}
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(most); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is not so that %s", what)
		}
	}
}

// stuckStore does not return from storing until it is released.
type stuckStore struct {
	store.Store
	release chan struct{}
}

func (s stuckStore) Commit(context.Context, *store.Batch) error {
	<-s.release
	return errors.New("a disk that is gone")
}

// TestCloseIsBounded ends a node whose store does not return. What is in the journal is stored after the next start.
func TestCloseIsBounded(t *testing.T) {
	folder, s := t.TempDir(), memory.New(time.Now)
	stuck := stuckStore{s, make(chan struct{})}
	n := start(t, options(folder, stuck))
	pass(t, n, "Bearer three-0123456789")
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := n.Close(ctx)
	if took := time.Since(began); took > most/2 {
		t.Errorf("it took %v", took)
	}
	if !errors.Is(err, node.ErrStuck) || !strings.Contains(err.Error(), "store what is in the journal") {
		t.Errorf("the error is %v", err)
	}
	close(stuck.release)
	n = start(t, options(folder, s))
	end(t, n)
	if got := count(t, s); got != 1 {
		t.Errorf("%d of 1 exchanges are stored", got)
	}
}

// TestAutoIdentifier adds a session rule for a host whose requests carry Authorization, where nothing was configured.
func TestAutoIdentifier(t *testing.T) {
	o := options(t.TempDir(), memory.New(time.Now))
	o.AutoEvery = 10 * time.Millisecond
	n := start(t, o)
	defer end(t, n)
	for range 4000 { // a sample of which is looked at
		pass(t, n, "Bearer four-0123456789")
	}
	until(t, "a session rule was added", func() bool { return len(n.Rules().Rules()) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	all, err := n.Registry.List(ctx, seshat.KindSessionRule)
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Resource.Metadata.Description, "shop.example") {
		t.Errorf("the resources are %+v (%v)", all, err)
	}
}
