package duckdb_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// logLine is what a combined log says of an exchange.
type logLine struct {
	ip                   netip.Addr
	at                   time.Time
	method, path, origin string
	status               int
	bytes                int64
	agent                string
}

// readLog reads the real access log of the test material. Tests and benchmarks without it make up lines like its.
func readLog(t testing.TB) []logLine {
	t.Helper()
	material := os.Getenv("SESHAT_MATERIAL")
	if material == "" {
		return madeUpLog()
	}
	file, err := os.Open(filepath.Join(material, "accesslog", "apache-combined.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	format := regexp.MustCompile(`^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+)[^"]*" (\d+) (\S+) "([^"]*)" "([^"]*)"`)
	referer := regexp.MustCompile(`^https?://[^/]+`)
	var lines []logLine
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		m := format.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		at, err := time.Parse("02/Jan/2006:15:04:05 -0700", m[2])
		ip, errIP := netip.ParseAddr(m[1])
		if err != nil || errIP != nil {
			continue
		}
		status, _ := strconv.Atoi(m[5])
		size, _ := strconv.ParseInt(m[6], 10, 64)
		path, _, _ := cutQuery(m[4])
		lines = append(lines, logLine{ip: ip, at: at.UTC(), method: m[3], path: path, status: status, bytes: size, origin: referer.FindString(m[7]), agent: m[8]})
	}
	return lines
}

func cutQuery(target string) (string, string, bool) {
	for i := range len(target) {
		if target[i] == '?' {
			return target[:i], target[i+1:], true
		}
	}
	return target, "", false
}

// madeUpLog has the cardinalities of the real one: of 10,000 lines, 1,750 addresses, 560 user agents, 1,500 paths.
func madeUpLog() []logLine {
	random := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // repeatable
	zipf := func(n int) int { return int(float64(n) * random.Float64() * random.Float64() * random.Float64()) }
	at := time.Date(2015, 5, 17, 10, 5, 3, 0, time.UTC)
	lines := make([]logLine, 10_000)
	client := 0
	for i := range lines {
		if random.IntN(100) < 35 { // clients come for three exchanges on average
			client = random.IntN(1750)
		}
		at = at.Add(time.Duration(random.IntN(52)) * time.Second)
		lines[i] = logLine{
			ip: netip.AddrFrom4([4]byte{byte(client*7 + 11), byte(client >> 3), byte(client * 31), byte(client)}), at: at, method: "GET",
			path: fmt.Sprintf("/presentations/2013/images/%x.png", zipf(1500)*2654435761), status: 200, bytes: int64(zipf(500_000)),
			agent: fmt.Sprintf("Mozilla/5.0 (Windows NT 6.1; WOW64; rv:%d.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d Safari/537.36", client%56, client%10),
		}
	}
	return lines
}

// logTraffic turns log lines into ever more exchanges: every round goes on where the one before ended, with other
// addresses, so that clients, sessions and times are new while paths and user agents come again, as on a web site.
type logTraffic struct {
	lines    []logLine
	at       int
	round    uint32
	span     time.Duration
	sessions map[string]*logSession
	version  uint64
	// withState also writes a record of state for each session that a batch touched.
	withState bool
	next      uint64
}

type logSession struct {
	id      seshat.SessionID
	last    time.Time
	version uint64
}

func newLogTraffic(lines []logLine) *logTraffic {
	return &logTraffic{
		lines: lines, span: lines[len(lines)-1].at.Sub(lines[0].at) + time.Second, sessions: make(map[string]*logSession),
	}
}

// digest16 is a stand-in for a keyed digest: it cannot be compressed either.
func digest16(parts ...string) (d [16]byte) {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
	}
	random := rand.NewPCG(h.Sum64(), 3)
	binary.BigEndian.PutUint64(d[:8], random.Uint64())
	binary.BigEndian.PutUint64(d[8:], random.Uint64())
	return d
}

// fallbackIdle is after how long a client's next exchange is another session.
const fallbackIdle = 30 * time.Minute

func (l *logTraffic) batch(n int) *store.Batch {
	b := &store.Batch{StoredAt: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Exchanges: make([]seshat.Assigned, 0, n)}
	touched := make(map[*logSession]bool)
	for range n {
		line := &l.lines[l.at]
		x := l.exchange(line)
		client := x.ClientIP.String() + " " + x.UserAgent
		s := l.sessions[client]
		if s == nil || x.Time.Sub(s.last) > fallbackIdle {
			if s != nil {
				b.Sessions = append(b.Sessions, seshat.SessionFacts{
					ID: s.id, Version: l.nextVersion(), Started: s.last, EndedAt: s.last.Add(fallbackIdle), EndedBy: seshat.EndIdle,
					IdleTimeout: fallbackIdle, IdentifiedBy: "ip+user-agent", Origin: seshat.OriginFallback, Confidence: 0.5,
				})
			}
			s = &logSession{id: digest16(client, x.Time.String())}
			l.sessions[client] = s
			b.Sessions = append(b.Sessions, seshat.SessionFacts{
				ID: s.id, Version: l.nextVersion(), Started: x.Time, IdleTimeout: fallbackIdle, IdentifiedBy: "ip+user-agent", Origin: seshat.OriginFallback, Confidence: 0.5,
			})
			b.Links = append(b.Links, seshat.Link{
				Session: s.id, To: x.IDs[0].Digest, Masked: x.IDs[0].Masked, Kind: seshat.KindUserAgent, Name: "ip+user-agent",
				Evidence: seshat.EvidenceFirst, Score: 1, Time: x.Time, Exchange: x.Key,
			})
		}
		s.last = x.Time
		touched[s] = true
		b.Exchanges = append(b.Exchanges, seshat.Assigned{Observation: x, Session: s.id})
		if l.at++; l.at == len(l.lines) {
			l.at, l.round = 0, l.round+1
			for client, s := range l.sessions { // clients that are long gone
				if x.Time.Sub(s.last) > fallbackIdle {
					delete(l.sessions, client)
				}
			}
		}
	}
	if l.withState {
		for s := range touched {
			b.State = append(b.State, store.StateRecord{Key: seshat.Digest(s.id), Value: make([]byte, 60)})
		}
	}
	return b
}

func (l *logTraffic) nextVersion() uint64 { l.version++; return l.version }

func (l *logTraffic) exchange(line *logLine) *seshat.Observation {
	l.next++
	o := &seshat.Observation{
		Time: line.at.Add(time.Duration(l.round) * l.span), Service: "www.example.org", Host: "www.example.org",
		Method: line.method, Path: line.path, Endpoint: line.path, HTTPVersion: "1.1", Status: line.status, ResponseBytes: line.bytes,
		ClientIP: line.ip, UserAgent: line.agent, Origin: line.origin,
	}
	if line.ip.Is4() && l.round > 0 {
		a := line.ip.As4()
		binary.BigEndian.PutUint32(a[:], binary.BigEndian.Uint32(a[:])^l.round*2654435761&0x00ffffff)
		o.ClientIP = netip.AddrFrom4(a)
	}
	key := digest16(strconv.FormatUint(l.next, 10))
	o.Key = seshat.ExchangeKey(binary.BigEndian.Uint64(key[:]))
	address := o.ClientIP.String()
	o.IDs = []seshat.ObservedID{
		{Digest: digest16(address, o.UserAgent), Masked: store.FallbackMasked(seshat.KindUserAgent, o.ClientIP, o.UserAgent), Name: "ip+user-agent", Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationUserAgent, Key: "User-Agent"},
		{Digest: digest16(address), Masked: address, Index: 1, Name: "ip", Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP},
	}
	return o
}

// storetestIP is the address of client n.
func storetestIP(n uint64) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}
