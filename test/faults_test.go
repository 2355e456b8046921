package test

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// smallDisk is a file system of so many MiB, which only root can make.
func smallDisk(t testing.TB, size string) string {
	t.Helper()
	need(t, "mount", "umount")
	if os.Geteuid() != 0 {
		skip(t, "only root can mount a small file system")
	}
	folder := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size+"m", "tmpfs", folder).CombinedOutput(); err != nil {
		skip(t, "mounting a small file system: "+string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", folder).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return folder
}

// fill leaves no byte of a file system free, until the function that it returns makes room again.
func fill(t testing.TB, disk string) (makeRoom func()) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for len(zeros) > 0 {
		if _, err := ballast.Write(zeros); errors.Is(err, syscall.ENOSPC) {
			zeros = zeros[:len(zeros)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := ballast.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(ballast.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFullWhileServing fills the disk under an instance: traffic flows, what the journal cannot take is counted and
// shown, nobody's session is lost that was taken, and all goes on by itself when there is room.
func TestDiskFullWhileServing(t *testing.T) {
	disk := smallDisk(t, "192")
	s := &seshat{t: t, data: filepath.Join(disk, "data")}
	g := s.serve("-c", configuration(t, shop(t).URL, "journal: {maxQueueBytes: 1MiB}\n"))
	l := newLoad(t)
	l.start(g.gateway, 4)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > 500 })
	makeRoom := fill(t, disk)
	within(t, 5*time.Second, "the journal says that it takes nothing", func() bool { return g.metric(metricFailing) == 1 })
	l.stop()

	l.percentile(1)
	l.start(g.gateway, 4)
	eventually(t, "exchanges are dropped", func() bool { return g.metric(metricDropped) > 10 })
	r := s.run("status").want(1)
	r.prints("degraded", "journal", "MiB of the disk are free", "dropped")
	s.sessions("state:active") // reading goes on
	l.stop()
	if p99 := l.percentile(0.99); p99 > time.Second {
		t.Errorf("while the disk is full, 99 %% of the requests take up to %v", p99)
	}
	if got := l.statuses(); got[http.StatusOK] != l.next {
		t.Errorf("not all requests were answered well: %v", got)
	}
	if peak := g.metric("process_resident_memory_bytes"); peak > 700<<20 {
		t.Errorf("it has %v MiB of memory", peak/(1<<20))
	}

	makeRoom()
	eventually(t, "the journal takes exchanges again", func() bool { return g.metric(metricFailing) == 0 })
	l.start(g.gateway, 4)
	before := l.count(http.StatusOK)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > before+500 })
	l.stop()
	g.settled()
	dropped := int(g.metric(metricDropped))
	s.ok("status").prints("state      ok")
	l.check(s, dropped)
	user := s.sessions("exchanges:>0")
	s.ok("revoke", user[0].ID)
	g.stop()
	l.check(s, dropped)
}

// TestDiskFullFailClosed fills the disk under an instance that must not answer what it cannot keep.
func TestDiskFullFailClosed(t *testing.T) {
	disk := smallDisk(t, "192")
	s := &seshat{t: t, data: filepath.Join(disk, "data")}
	g := s.serve("-c", configuration(t, shop(t).URL, "journal: {failClosed: true}\n"))
	c := client(t)
	status := func() int { return ask(t, c, http.MethodGet, g.gateway+"/", "").status }
	ready := func() int { return ask(t, c, http.MethodGet, g.api+"/readyz", "").status }
	l := newLoad(t)
	l.start(g.gateway, 4)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > 200 })
	makeRoom := fill(t, disk)
	eventually(t, "requests are refused", func() bool { return status() == http.StatusServiceUnavailable })
	if ready() != http.StatusServiceUnavailable {
		t.Error("it says that it is ready")
	}
	s.run("status").want(1).prints("failing", "traffic is refused")
	makeRoom()
	eventually(t, "requests are answered again", func() bool { return status() == http.StatusOK && ready() == http.StatusOK })
	before := l.count(http.StatusOK)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > before+200 })
	l.stop()
	if n := l.count(http.StatusServiceUnavailable); n == 0 {
		t.Errorf("of the clients none was refused: %v", l.statuses())
	}
	g.settled()
	l.check(s, 0)
}

// TestStoreFull fills the disk of the store alone: traffic flows, the journal keeps everything, also when the instance is
// killed meanwhile, and what it keeps is stored once when there is room.
func TestStoreFull(t *testing.T) {
	disk := smallDisk(t, "64")
	s := &seshat{t: t, data: filepath.Join(disk, "data")}
	elsewhere := t.TempDir() // the folder of the journal
	if err := os.Mkdir(s.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(s.data, "resources")); err != nil {
		t.Fatal(err)
	}
	config := configuration(t, shop(t).URL, "")
	g := s.serve("-c", config)
	l := newLoad(t)
	l.start(g.gateway, 4)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > 500 })
	makeRoom := fill(t, disk)
	eventually(t, "the store fails", func() bool { return g.metric(metricRecorderErrs) > 0 })
	before := l.count(http.StatusOK)
	eventually(t, "traffic flows", func() bool { return l.count(http.StatusOK) > before+500 })
	s.run("status").want(1).prints("degraded", "cannot be stored")
	l.stop()
	eventually(t, "the journal has it all", func() bool { return int(g.metric(metricAcknowledged)) == l.next })
	g.kill()
	makeRoom()
	g = s.serve("-c", config)
	eventually(t, "it is stored", func() bool { return len(s.explore("path", "path:/n/*")) >= l.count(http.StatusOK) })
	g.settled()
	g.stop()
	if got := l.statuses(); got[http.StatusOK] != l.next {
		t.Errorf("not all requests were answered well: %v", got)
	}
	l.check(s, 0)
}

// TestImportWhileServing imports through an instance that has traffic: the traffic does not wait for the store.
func TestImportWhileServing(t *testing.T) {
	need(t, "bash", "gzip")
	capture := bigCapture(t, 10)
	s := fresh(t)
	g := s.serve("-c", configuration(t, shop(t).URL, ""))
	l := newLoad(t)
	l.start(g.gateway, 2)
	eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > 200 })
	got := s.importing(capture)
	l.stop()
	if got.Read < 40_000 || got.Stored != got.Read {
		t.Errorf("the import: %+v", got)
	}
	if statuses := l.statuses(); statuses[http.StatusOK] != l.next {
		t.Errorf("not all requests were answered well: %v", statuses)
	}
	p99 := l.percentile(0.99)
	t.Logf("%d exchanges imported, %d requests meanwhile, 99 %% of them within %v", got.Read, l.next, p99)
	if p99 > time.Second { // on two cores, with the import and the clients on them too
		t.Errorf("while an import runs, 99 %% of the requests take up to %v", p99)
	}
	if dropped := g.metric(metricDropped); dropped != 0 {
		t.Errorf("%v exchanges were dropped", dropped)
	}
	g.settled()
	g.stop()
	l.check(s, 0)
}

// TestTwoInstances starts a second instance on the data directory of one that serves, and one after one that was killed.
func TestTwoInstances(t *testing.T) {
	origin := shop(t)
	s := fresh(t)
	config := configuration(t, origin.URL, "")
	g := s.serve("-c", config)
	l := newLoad(t)
	l.start(g.gateway, 2)
	s.run("run", "-c", config, "--api", "127.0.0.1:0").want(1).says("another", s.data)
	eventually(t, "the first goes on", func() bool { return l.count(http.StatusOK) > 200 })
	l.stop()
	g.settled()
	g.kill()
	g = s.serve("-c", config) // nothing of the killed one is in the way
	g.settled()
	g.stop()
	l.check(s, 0)
}

// TestKilledWhileEnding kills instances without warning while they end.
func TestKilledWhileEnding(t *testing.T) {
	times := 12
	if testing.Short() {
		times = 2
	}
	s := fresh(t)
	config := configuration(t, shop(t).URL, "journal: {failClosed: true}\n")
	random := rand.New(rand.NewPCG(3, 4))
	l := newLoad(t)
	for range times {
		g := s.serve("-c", config)
		before := l.count(http.StatusOK)
		l.start(g.gateway, 4)
		eventually(t, "there is traffic", func() bool { return l.count(http.StatusOK) > before+100 })
		if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		g.kill()
		l.stop()
	}
	g := s.serve("-c", config)
	g.settled()
	g.stop()
	l.check(s, 0)
	t.Logf("%d requests: %v", l.next, l.statuses())
}
