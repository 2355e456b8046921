package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestImportHAR compares what is stored of the HAR captures with what jq counts in them. Entries that are no HTTP
// exchange, such as "data:" URLs, are not counted by either.
func TestImportHAR(t *testing.T) {
	need(t, "jq")
	files, err := filepath.Glob(material(t, "har", "*.har"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no HAR captures: %v", err)
	}
	const entries = `.log.entries | map(select(.request.url | test("^https?:"; "i")))`
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s := fresh(t)
			want, err := strconv.ParseInt(tool(t, "jq", entries+`|length`, file), 10, 64)
			if err != nil || want == 0 {
				t.Fatalf("jq counts nothing: %v", err)
			}
			got := s.importing(file)
			if got.Read != want || got.Stored != want || got.Bad != 0 || got.Duplicates != 0 {
				t.Errorf("jq counts %d entries: %+v", want, got)
			}
			same(t, s, "status", tool(t, "jq", "-r", entries+`|map(.response.status | if . > 0 then tostring else "" end) | group_by(.) | map("\(.[0])=\(length)") | .[]`, file))
			same(t, s, "method", tool(t, "jq", "-r", entries+`|map(.request.method) | group_by(.) | map("\(.[0])=\(length)") | .[]`, file))
			withAgent := tool(t, "jq", "-r", entries+`|map(select(any(.request.headers[]; .name | ascii_downcase == "user-agent"))) | length`, file)
			if n := strconv.Itoa(len(s.explore("id", "user_agent:*"))); n != withAgent {
				t.Errorf("%s exchanges have a user agent, jq counts %s", n, withAgent)
			}
			again(t, s, got, file)
		})
	}
}

// TestImportHARCookies checks, by a rule that takes every cookie there is for a session ID, that each exchange that
// sends or sets cookies has them all: as many as jq counts.
func TestImportHARCookies(t *testing.T) {
	need(t, "jq")
	file := material(t, "har", "chrome-github.har")
	names := strings.Fields(tool(t, "jq", "-r", `[.log.entries[].request.cookies[].name] | unique | .[] | select(test("^[A-Za-z0-9_.-]+$"))`, file))
	if len(names) == 0 {
		t.Fatal("jq finds no cookies")
	}
	const id = "6f1d2c3b-4a59-4e87-9b60-7c8d9e0f1a2b"
	var rules strings.Builder
	fmt.Fprintf(&rules, "apiVersion: seshat/v1\nkind: SessionRule\nmetadata: {name: every-cookie, uid: %s}\nspec:\n  identifiers:\n", id)
	for _, name := range names {
		fmt.Fprintf(&rules, "    - cookie: %q\n", name)
	}
	s := fresh(t)
	s.ok("apply", "-f", write(t, t.TempDir(), "rules.yaml", rules.String()))
	s.importing(file)
	for i, name := range names {
		want := tool(t, "jq", "-r", "--arg", "name", name,
			`[.log.entries[] | select(any(.request.cookies[], .response.cookies[]; .name == $name and .value != ""))] | length`, file)
		got := len(s.explore("id", fmt.Sprintf("attr.seshat.session.%s.%d.id:*", id, i)))
		if strconv.Itoa(got) != want {
			t.Errorf("the cookie %s is in %d exchanges, jq counts %s", name, got, want)
		}
	}
}

// TestImportAccessLog compares what is stored of a web server's log with what awk counts in it.
func TestImportAccessLog(t *testing.T) {
	need(t, "awk")
	file := material(t, "accesslog", "apache-combined.log")
	s := fresh(t)
	lines, err := strconv.ParseInt(tool(t, "awk", "END {print NR}", file), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	got := s.importing(file)
	if got.Read+got.Bad != lines || got.Stored+got.Duplicates != got.Read {
		t.Errorf("awk counts %d lines: %+v", lines, got)
	}
	if got.Bad != 0 {
		t.Errorf("lines of a real server cannot be read: %+v", got)
	}
	// The status is the first field behind the request, which is in quotes; a quote in it is escaped.
	same(t, s, "status", tool(t, "awk", `{gsub(/\\"/, ""); split($0, q, "\""); split(q[3], f, " "); n[f[1]]++} END {for (s in n) print s "=" n[s]}`, file))
	same(t, s, "ip", tool(t, "awk", `{n[$1]++} END {for (s in n) print s "=" n[s]}`, file))
	same(t, s, "method", tool(t, "awk", `{sub(/"/, "", $6); n[$6]++} END {for (s in n) print s "=" n[s]}`, file))
	if bytes := tool(t, "awk", `{gsub(/\\"/, ""); split($0, q, "\""); split(q[3], f, " "); n += f[2]} END {printf "%.0f", n}`, file); bytes != sum(t, s, "response_bytes") {
		t.Errorf("the responses have %s bytes, awk counts %s", sum(t, s, "response_bytes"), bytes)
	}
	again(t, s, got, file)
}

// TestImportTraffic compares what is stored of the recorded exchanges with what jq counts in them.
func TestImportTraffic(t *testing.T) {
	need(t, "jq", "gzip")
	packed := material(t, "traffic", "dev", "exchanges.ndjson.gz")
	plain := filepath.Join(t.TempDir(), "exchanges.ndjson")
	file, err := os.Create(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(tool(t, "gzip", "-dc", packed) + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	s := fresh(t)
	got := s.importing(packed)
	counted := func(what string) string {
		return tool(t, "jq", "-rn", `reduce inputs as $x ({}; .[$x | `+what+`] += 1) | to_entries[] | "\(.key)=\(.value)"`, plain)
	}
	statuses := counted(".response.status | tostring")
	var total int64
	for _, n := range tally(t, statuses) {
		total += n
	}
	if got.Read != total || got.Stored != total || got.Bad != 0 || got.Duplicates != 0 {
		t.Errorf("jq counts %d exchanges: %+v", total, got)
	}
	same(t, s, "status", statuses)
	same(t, s, "service", counted(".service"))
	same(t, s, "method", counted(".request.method"))
	same(t, s, "host", counted(".request.host"))
	same(t, s, "ip", counted(".client.ip"))

	// The same exchanges plain, and from standard input, are the same exchanges.
	again(t, s, got, packed)
	again(t, s, got, plain)
	r := s.runWith(read(t, plain), "import", "--output", "json", "-").want(0)
	if more := r.summary(); more.Stored != 0 || more.Duplicates != total {
		t.Errorf("from standard input they are others: %+v", more)
	}

	// Packed, plain or from standard input: the same sessions.
	alone := fresh(t)
	alone.runWith(read(t, plain), "import", "-").want(0)
	if n := differ(grouped(s.grouping()), grouped(alone.grouping())); n != 0 {
		t.Errorf("%d exchanges are grouped otherwise when they come from standard input", n)
	}
}

// TestImportOrder imports files of three formats in two orders, at once, and one after the other in their order in
// time: the exchanges are the same, and so are the sessions.
func TestImportOrder(t *testing.T) {
	files := []string{
		material(t, "har", "chrome-github.har"), material(t, "accesslog", "apache-combined.log"),
		material(t, "traffic", "dev", "exchanges.ndjson.gz"), material(t, "har", "bbc.har"),
	}
	backwards := slices.Clone(files)
	slices.Reverse(backwards)
	forth, back := fresh(t), fresh(t)
	one, other := forth.importing(files...), back.importing(backwards...)
	if one.counts() != other.counts() {
		t.Errorf("the order of files makes a difference: %+v and %+v", one, other)
	}
	if n := differ(grouped(forth.grouping()), grouped(back.grouping())); n != 0 {
		t.Errorf("%d exchanges are grouped otherwise when the files come in another order", n)
	}
}

// again imports once more what is stored: nothing changes.
func again(t *testing.T, s *seshat, first summary, files ...string) {
	t.Helper()
	before := s.grouping()
	got := s.importing(files...)
	if got.Stored != 0 || got.Duplicates != first.Read || got.Sessions != 0 {
		t.Errorf("importing the same again: %+v", got)
	}
	if after := s.grouping(); !maps.Equal(before, after) {
		t.Error("importing the same again changes sessions")
	}
}

// same compares how often each value of a column occurs with lines of value=count.
func same(t *testing.T, s *seshat, column, lines string) {
	t.Helper()
	want := tally(t, lines)
	got := map[string]int64{}
	for _, record := range s.explore("id," + column) { // a line of one empty field would be no line at all
		got[record[1]]++
	}
	if !maps.Equal(got, want) {
		for value, n := range want {
			if got[value] != n {
				t.Errorf("%s %q is in %d exchanges, and was counted in %d", column, value, got[value], n)
			}
		}
		for value, n := range got {
			if _, there := want[value]; !there {
				t.Errorf("%s %q is in %d exchanges, and was not counted at all", column, value, n)
			}
		}
	}
}

func tally(t *testing.T, lines string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		i := strings.LastIndexByte(line, '=')
		if i < 0 {
			t.Fatalf("not value=count: %q", line)
		}
		n, err := strconv.ParseInt(line[i+1:], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		out[line[:i]] += n
	}
	if len(out) == 0 {
		t.Fatal("nothing was counted")
	}
	return out
}

func sum(t *testing.T, s *seshat, column string) string {
	t.Helper()
	var total int64
	for _, record := range s.explore("id," + column) {
		n, err := strconv.ParseInt(record[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return strconv.FormatInt(total, 10)
}

// grouped turns the session of each exchange into the first exchange of that session, in the order of IDs: the IDs
// of sessions depend on the key of the data directory, and what belongs together does not.
func grouped(sessions map[string]string) map[string]string {
	first := map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(sessions)) {
		if _, there := first[sessions[id]]; !there {
			first[sessions[id]] = id
		}
	}
	out := make(map[string]string, len(sessions))
	for id, session := range sessions {
		out[id] = first[session]
	}
	return out
}

// differ counts the exchanges that are in one grouping only, or in different groups.
func differ(one, other map[string]string) int {
	n := 0
	for id, group := range one {
		if other[id] != group {
			n++
		}
	}
	for id := range other {
		if _, there := one[id]; !there {
			n++
		}
	}
	return n
}
