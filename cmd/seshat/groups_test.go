package main

import (
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	p := imported(t)
	f := func(want string, args ...string) {
		t.Helper()
		if r := p.must(append(args, "--since", "all")...); r.stdout != want {
			t.Errorf("seshat %s prints\n%s; want\n%s", strings.Join(args, " "), r.stdout, want)
		}
	}
	f("HOST              STATUS  COUNT  UNIQUE:IP  P50:DURATION\n"+
		"api.shop.example  200         2          1             -\n"+
		"www.shop.example  200         1          1          12ms\n"+
		"www.shop.example  302         1          1          80ms\n"+
		"www.shop.example  404         1          1           5ms\n",
		"explore", "--by", "host", "--by", "status", "--measure", "count", "--measure", "unique:ip", "--measure", "p50:duration")
	f("ip,count,max:duration\n192.0.2.77,2,\n198.51.100.7,1,5\n203.0.113.9,2,80\n",
		"explore", "--by", "ip", "--measure", "count", "--measure", "max:duration", "--order", "ip", "--format", "csv")
	f("{\"status\":404,\"user\":null,\"time:1h\":\"2026-01-02T10:00:00Z\",\"avg:duration\":5}\n",
		"explore", "status:>=400", "--by", "status", "--by", "user", "--by", "time:1h", "--measure", "avg:duration", "--format", "json")
	f("{\"count\":0,\"min:duration\":null}\n", "explore", "nothing", "--measure", "count", "--measure", "min:duration", "--format", "ndjson")
	f("USER   SUM:EXCHANGES  MAX:DURATION\nalice              3        20m00s\n-                  2         1m00s\n",
		"sessions", "--by", "user", "--measure", "sum:exchanges", "--measure", "max:duration")

	r := p.must("explore", "--by", "path", "--limit", "1", "--since", "all")
	if want := "1 group of 5 are shown; the others have 4 exchanges (--limit)"; !strings.Contains(r.stderr, want) {
		t.Errorf("it says %q; want %q", r.stderr, want)
	}
	bad := func(want string, args ...string) {
		t.Helper()
		if r := p.run(args...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("seshat %s: exit code %d\n%s; want %q", strings.Join(args, " "), r.code, r.stderr, want)
		}
	}
	bad(`--by: exchanges have no field "endpont" (did you mean "endpoint"?)`, "explore", "--by", "endpont")
	bad(`--by: time needs the width`, "explore", "--by", "time")
	bad(`--by: there are too many (3 at most)`, "explore", "--by", "host", "--by", "ip", "--by", "user", "--by", "role")
	bad(`--measure: method is no number`, "explore", "--measure", "avg:method")
	bad(`--measure: there is no measure "cont" (did you mean "count"?)`, "sessions", "--measure", "cont")
	bad(`--order: groups cannot be ordered by "ip"`, "explore", "--by", "host", "--order", "ip")
	bad(`--follow: groups are not followed`, "explore", "--by", "host", "--follow")
}
