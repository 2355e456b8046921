package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// scored is the part of an accuracy report that is held to something.
type scored struct {
	Exchanges int `json:"exchanges"`
	BCubed    struct {
		Precision, Recall, F1 float64
	} `json:"b_cubed"`
	MixedSignedIn int `json:"mixed_signed_in"`
	Missing       int `json:"missing"`
	Unknown       int `json:"unknown"`
}

// TestAccuracy imports labelled traffic and scores the sessions that come out: those of the recordings, and those of
// generated traffic of each shape, with a seed that test/accuracy.sh does not print.
func TestAccuracy(t *testing.T) {
	tools := t.TempDir()
	tool(t, "go", "build", "-o", tools, "./accuracy", "./trafficgen")

	score := func(t *testing.T, folder, rules string) scored {
		t.Helper()
		s := fresh(t)
		if rules != "" {
			s.ok("apply", "-f", rules)
		}
		capture := filepath.Join(folder, "exchanges.ndjson.gz")
		s.ok("import", capture)
		predicted := s.ok("explore", "--columns", "id,session_id,origin,identifier", "--since", "all", "--limit", "0", "--format", "csv")
		var report scored
		out := tool(t, filepath.Join(tools, "accuracy"), "-json", "-truth", filepath.Join(folder, "truth.csv"),
			"-exchanges", capture, "-predicted", write(t, t.TempDir(), "predicted.csv", predicted.stdout))
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		if report.Missing != 0 || report.Unknown != 0 || report.Exchanges == 0 {
			t.Errorf("what was explored is not what was imported: %+v", report)
		}
		t.Logf("F1 %.3f, %d sessions mix users who signed in", report.BCubed.F1, report.MixedSignedIn)
		return report
	}

	for name, c := range map[string]struct {
		rules string
		least float64
	}{
		"recorded":            {"", 0.93},
		"recorded with rules": {filepath.Join("accuracy", "rules.yaml"), 0.955},
	} {
		t.Run(name, func(t *testing.T) {
			report := score(t, material(t, "traffic", "dev"), c.rules)
			if report.BCubed.F1 < c.least {
				t.Errorf("F1 is %.3f, below %.3f", report.BCubed.F1, c.least)
			}
			if report.MixedSignedIn != 0 {
				t.Errorf("%d sessions mix users who signed in", report.MixedSignedIn)
			}
		})
	}
	for _, shape := range []string{"web", "mobile", "oidc", "api", "mixed", "storm"} {
		t.Run(shape, func(t *testing.T) {
			folder := t.TempDir()
			tool(t, filepath.Join(tools, "trafficgen"), "-shape", shape, "-seed", "4", "-o", folder)
			const least = 0.90
			if report := score(t, folder, ""); report.BCubed.F1 < least {
				t.Errorf("F1 is %.3f, below %.3f", report.BCubed.F1, least)
			}
		})
	}
}

// TestSampleRun runs what "make sample" runs, and then, in a shell, every command that it names.
func TestSampleRun(t *testing.T) {
	need(t, "bash", "awk", "gzip")
	data := filepath.Join(t.TempDir(), "sample")
	cmd := shell(t, `cd .. && SESHAT="$1" DATA="$2" examples/run.sh`, binary, data)
	r := finish(t, cmd, []string{"examples/run.sh"}).want(0)
	r.prints("13 resources created", "1,543 exchanges read, 1,543 stored, 0 bad", "79 sessions, and every one has a story")
	if r.stdout != terminalSafe(r.stdout) {
		t.Error("it prints what a terminal would take for a command")
	}

	_, next, found := strings.Cut(r.stdout, "To type the rest as it stands:")
	if !found {
		t.Fatalf("it does not say what to type next: %v", r)
	}
	var script strings.Builder
	commands := 0
	for line := range strings.Lines(next) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "  ") && !strings.Contains(line, "FILE...") {
			script.WriteString(strings.ReplaceAll(line, "./no-rules", data+"-no-rules") + " || exit 9\n")
			commands++
		}
	}
	if commands < 6 {
		t.Fatalf("it names %d commands only:\n%s", commands, next)
	}
	finish(t, shell(t, "cd ..\n"+script.String()), []string{script.String()}).want(0).prints(
		"sign-in",                        // alice's story
		"curl/8.9.1",                     // and the thief in it
		"api.shop.example/v2/orders/",    // mallory
		"203.0.113.9",                    // who guesses passwords
		"The session is that of",         // explain
		"1,543 exchanges read, 1,543 st") // without rules

	// A directory that is somebody's own is left alone.
	own := t.TempDir()
	file := write(t, own, "precious", "data")
	finish(t, shell(t, `cd .. && SESHAT="$1" DATA="$2" examples/run.sh`, binary, own), nil).want(1).says("is there already")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
