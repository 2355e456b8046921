package natsjournal_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/natsserver"
)

// freeAddress is a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// nodeVariable tells the process that TestClusterLosesOne starts which server to be.
const nodeVariable = "NATSJOURNAL_TEST_NODE"

// node is one of three servers that keep replicas of each other.
func node(dir, name, listen, routes string, own int) natsserver.Options {
	all := strings.Split(routes, ",")
	return natsserver.Options{
		Dir: dir, Name: name, Listen: listen, Token: "t",
		Cluster: &natsserver.Cluster{Listen: all[own], Routes: all, User: "u", Password: "p"},
	}
}

// openSoon opens a log as soon as the cluster has a leader.
func openSoon(t *testing.T, conn *nats.Conn, o natsjournal.Options) *natsjournal.Log {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		l, err := natsjournal.Open(ctx, conn, o)
		cancel()
		if err == nil {
			return l
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// lead makes a server the leader of a stream.
func lead(t *testing.T, conn *nats.Conn, stream, server string) {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		s, err := js.Stream(ctx, stream)
		cancel()
		if err == nil && s.CachedInfo().Cluster.Leader == server {
			return
		}
		request := `{"placement":{"preferred":"` + server + `"}}`
		_, _ = conn.Request("$JS.API.STREAM.LEADER.STEPDOWN."+stream, []byte(request), time.Second) // and again, if it fails
	}
	t.Fatalf("%s does not lead", server)
}

// TestClusterLosesOne: of three servers the one that leads is killed, and no entry that was acknowledged is lost, and more are
// taken, by those who were connected to it too.
func TestClusterLosesOne(t *testing.T) {
	if words := strings.Fields(os.Getenv(nodeVariable)); len(words) > 0 {
		start(t, node(words[0], "node-0", words[1], words[2], 0))
		select {} // until it is killed
	}
	routes := freeAddress(t) + "," + freeAddress(t) + "," + freeAddress(t)
	first := freeAddress(t)
	child := exec.Command(os.Args[0], "-test.run=^TestClusterLosesOne$") //nolint:gosec // this test itself
	child.Env = append(os.Environ(), nodeVariable+"="+t.TempDir()+" "+first+" "+routes)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() {
		_ = child.Process.Kill() // SIGKILL; it cannot have ended
		_ = child.Wait()         // says that it was killed
	})
	defer kill()
	urls := "nats://" + first
	for i := 1; i < 3; i++ {
		s := start(t, node(t.TempDir(), fmt.Sprint("node-", i), "127.0.0.1:0", routes, i))
		t.Cleanup(s.Close)
		urls += ",nats://" + s.Address()
	}
	dial := func() *nats.Conn {
		conn, err := natsserver.Dial(urls, natsserver.DialOptions{Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		return conn
	}
	options := natsjournal.Options{Stream: "exchanges", Replicas: 3}
	writer, reader := openSoon(t, dial(), options), openSoon(t, dial(), options)
	lead(t, dial(), "exchanges", "node-0")
	const all, dies = 600, 200
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()

	seen := make([]int, all)
	var reading sync.WaitGroup
	reading.Go(func() {
		n := 0
		err := reader.Read(ctx, 0, func(_ journal.Sequence, data []byte) error {
			var i int
			if _, err := fmt.Sscan(string(data), &i); err != nil {
				return err
			}
			if seen[i]++; seen[i] == 1 {
				n++
			}
			if n == all {
				return context.Canceled
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("read %d of %d entries: %v", n, all, err)
		}
	})
	failed := 0
	for i := range all {
		if i == dies {
			kill()
		}
		for {
			attempt, stop := context.WithTimeout(ctx, time.Second)
			_, err := writer.Append(attempt, fmt.Sprint("id-", i), fmt.Append(nil, i))
			stop()
			if err == nil {
				break
			}
			failed++
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				t.Fatalf("entry %d: %v", i, err)
			}
		}
	}
	reading.Wait()
	for i, n := range seen {
		if n != 1 {
			t.Errorf("entry %d was read %d times", i, n)
		}
	}
	t.Logf("%d attempts failed while a server was lost", failed)
	for _, l := range []*natsjournal.Log{writer, reader} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
