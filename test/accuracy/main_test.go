package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seshat-project/seshat/internal/accuracy"
)

func TestRun(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	truth := file("truth.csv", "id,session,user,label\ne1,s1,u1,benign\ne2,s2,u2,benign\n")
	predicted := file("predicted.csv", "id,session_id\ne1,x\ne2,x\n")
	exchanges := file("exchanges.ndjson", "{\"id\":\"e1\",\"service\":\"shop\"}\n{\"id\":\"e2\",\"service\":\"api\"}\n")

	var out, complaints bytes.Buffer
	args := []string{"-truth", truth, "-predicted", predicted, "-exchanges", exchanges, "-json"}
	if err := run(args, &out, &complaints); err != nil {
		t.Fatal(err)
	}
	var report accuracy.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if report.MixedSignedIn != 1 || len(report.ByService) != 2 || report.BCubed.Recall != 1 {
		t.Errorf("%+v", report)
	}

	if err := run(append(args, "-min-f1", "0.9"), &out, &complaints); err == nil || !strings.Contains(err.Error(), "below 0.9") {
		t.Errorf("a low F1: %v", err)
	}
	if err := run(append(args, "-max-mixed", "0"), &out, &complaints); err == nil || !strings.Contains(err.Error(), "mix users") {
		t.Errorf("mixed users: %v", err)
	}
	if err := run([]string{"-truth", truth}, &out, &complaints); !errors.Is(err, errUsage) {
		t.Errorf("without -predicted: %v", err)
	}
	if err := run([]string{"-truth", predicted, "-predicted", predicted}, &out, &complaints); err == nil ||
		!strings.Contains(err.Error(), `predicted.csv: there is no column "session"`) {
		t.Errorf("no truth: %v", err)
	}
}
