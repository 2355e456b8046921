package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the cost is measured with: a request as browsers send it to an API, some 600 bytes, and 350 bytes of JSON.
var (
	costRequest = "GET /api/orders/1042?page=2 HTTP/1.1\r\nHost: shop.example\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
		"Accept: application/json\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Referer: https://shop.example/orders\r\n" +
		"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.8c2f1e7a9b3d5064f1a2e7c9d1b3a5f70812aabbccddeeff.00112233445566778899\r\n" +
		"Cookie: SHOPSESS=Zk3vQ9xTt1LmN8pR2s; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n"
	costResponse = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 350\r\n\r\n" +
		strings.Repeat("x", 350)
)

// costOrigin answers every request with costResponse, as cheaply as it can be done.
func costOrigin(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 8<<10)
				n := 0
				for {
					m, err := conn.Read(buf[n:])
					if err != nil {
						_ = conn.Close()
						return
					}
					if n += m; bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
						n = 0
						if _, err := io.WriteString(conn, costResponse); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// costLoad sends n requests over some connections that are kept, each waiting for its answer.
func costLoad(tb testing.TB, addr string, connections, n int) {
	var running sync.WaitGroup
	for range connections {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		running.Go(func() {
			defer func() { _ = conn.Close() }()
			r := bufio.NewReaderSize(conn, 8<<10)
			for range n / connections {
				if _, err := io.WriteString(conn, costRequest); err != nil {
					tb.Error(err)
					return
				}
				length := -1
				for {
					line, err := r.ReadSlice('\n')
					if err != nil {
						tb.Error(err)
						return
					}
					if len(line) == 2 {
						break
					}
					if name, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(name), "content-length") {
						length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
					}
				}
				if _, err := r.Discard(max(length, 0)); err != nil || length != 350 {
					tb.Errorf("a response of %d bytes: %v", length, err)
					return
				}
			}
		})
	}
	running.Wait()
}

// BenchmarkProxy is a request through the gateway without identification; client, gateway and origin share the process.
func BenchmarkProxy(b *testing.B) {
	for _, connections := range []int{1, 32} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			g := newGate(b, []string{costOrigin(b)}, plain)
			costLoad(b, g.addr, connections, 10*connections)
			b.ReportAllocs()
			b.ResetTimer()
			costLoad(b, g.addr, connections, max(b.N, connections))
		})
	}
}

// plain makes a gate a plain proxy that tells the origin about the client.
func plain(c *Config, _ *PoolConfig, _ *Route) {
	c.Guard, c.HideClient = Unguarded(), false
}

const (
	costSubject = "SESHAT_COST_SUBJECT" // what the child process is
	costTarget  = "SESHAT_COST_ORIGIN"
)

// TestProxyCost prints the processor time that proxies spend on a request, each in a process of its own. SESHAT_COST has
// how many requests each gets, such as 200000; a few without it, so that the measurement works when it is wanted.
func TestProxyCost(t *testing.T) {
	if subject := os.Getenv(costSubject); subject != "" {
		serveCost(t, subject, os.Getenv(costTarget))
		os.Exit(0)
	}
	n, _ := strconv.Atoi(os.Getenv("SESHAT_COST"))
	if n == 0 {
		n = 600
	}
	if runtime.GOOS != "linux" {
		t.Skip("processor times are read from /proc")
	}
	connections := 32
	if c, _ := strconv.Atoi(os.Getenv("SESHAT_COST_CONNECTIONS")); c > 0 {
		connections = c
	}
	subjects := []string{"relay", "gateway", "reverseproxy"}
	if only := os.Getenv("SESHAT_COST_ONLY"); only != "" {
		subjects = strings.Split(only, ",")
	}
	origin := costOrigin(t)
	const rounds = 3
	results := map[string][]float64{}
	for range rounds {
		for _, subject := range subjects {
			results[subject] = append(results[subject], measureCost(t, subject, origin, connections, n/rounds))
		}
	}
	for _, subject := range subjects {
		slices.Sort(results[subject])
		t.Logf("%-14s %6.1f µs of processor time a request (%.1f to %.1f)", subject,
			results[subject][rounds/2], results[subject][0], results[subject][rounds-1])
	}
}

func measureCost(t *testing.T, subject, origin string, connections, n int) float64 {
	var cmd *exec.Cmd
	var addr string
	if subject == "nginx" {
		cmd, addr = nginxCost(t, origin)
	} else {
		cmd = exec.Command(os.Args[0], "-test.run=^TestProxyCost$")
		cmd.Env = append(os.Environ(), costSubject+"="+subject, costTarget+"="+origin)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		addr = strings.TrimSpace(line)
		go func() { _, _ = io.Copy(io.Discard, out) }()
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}()
	costLoad(t, addr, connections, n/10)
	before := processorTime(t, cmd.Process.Pid)
	costLoad(t, addr, connections, n)
	return float64((processorTime(t, cmd.Process.Pid) - before).Nanoseconds()) / 1e3 / float64(n/connections*connections)
}

// processorTime is what a process and its children have spent.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	var sum time.Duration
	pids := []int{pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		n, _ := strconv.Atoi(child)
		pids = append(pids, n)
	}
	for _, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks { // the main thread is among them; threads of Go live on
			text, _ := os.ReadFile(task)
			if fields := strings.Fields(string(text)); len(fields) > 0 {
				ns, _ := strconv.ParseInt(fields[0], 10, 64)
				sum += time.Duration(ns)
			}
		}
	}
	return sum
}

func nginxCost(t *testing.T, origin string) (*exec.Cmd, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	dir := t.TempDir()
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p;
fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
upstream o { server %[2]s; keepalive 256; keepalive_requests 100000000; }
server { listen %[3]s; location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; } } }`,
		dir, origin, addr)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-c", conf, "-p", dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(testWait); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return cmd, addr
		}
	}
	t.Fatal("nginx does not start")
	return nil, ""
}

// serveCost is a proxy in a process of its own, until it is interrupted.
func serveCost(t *testing.T, subject, origin string) {
	if subject == "gateway" {
		g := newGate(t, []string{origin}, plain)
		fmt.Println(g.addr)
		waitForInterrupt()
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.Addr())
	switch subject {
	case "reverseproxy":
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: origin})
		proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
		server := &http.Server{Handler: proxy, ReadHeaderTimeout: testWait}
		go func() { _ = server.Serve(l) }()
	case "relay":
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go relay(conn, origin)
			}
		}()
	}
	waitForInterrupt()
}

// relay is the least that a proxy of Go can do: it looks at nothing, and one message is one read and one write.
func relay(conn net.Conn, origin string) {
	up, err := net.Dial("tcp", origin)
	if err != nil {
		return
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			_ = up.Close()
			return
		}
		if _, err := up.Write(buf[:n]); err != nil {
			return
		}
		if n, err = up.Read(buf); err != nil {
			return
		}
		if _, err := conn.Write(buf[:n]); err != nil {
			return
		}
	}
}

// waitForInterrupt waits, and writes a processor profile to the file that SESHAT_COST_PROFILE names.
func waitForInterrupt() {
	if name := os.Getenv("SESHAT_COST_PROFILE"); name != "" {
		if f, err := os.Create(name); err == nil && pprof.StartCPUProfile(f) == nil {
			defer pprof.StopCPUProfile()
		}
	}
	interrupted()
}

func interrupted() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
}
