package accuracy

import (
	"maps"
	"strings"
	"testing"
)

func TestReadPredictions(t *testing.T) {
	got, err := ReadPredictions(strings.NewReader(
		"session_id,id,origin,identified_by\ns1,e1,rule,\ns2,e2,fallback,\ns3,,rule,\ns4,e4,,ip\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Prediction{"e1": {"s1", false}, "e2": {"s2", true}, "e4": {"s4", true}}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestReadFaults(t *testing.T) {
	f := func(input, want string) {
		t.Helper()
		_, err := ReadTruth(strings.NewReader(input))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadTruth(%q): %v; want an error with %q", input, err, want)
		}
	}
	f("", "the file is empty")
	f("id,session,user\n", `no column "label"`)
	f("id,session,user,label\ne1,s1,u,benign\ne1,s2,u,benign\n", `line 3: exchange "e1" is there twice`)
	f("id,session,user,label\ne1,s1\n", "wrong number of fields")
	if _, err := ReadPredictions(strings.NewReader("id,session_id\na,s\na,s\n")); err == nil {
		t.Error("a prediction that is there twice is taken")
	}
	if _, err := ReadServices(strings.NewReader("{\"id\":\"a\",\"service\":\"s\"}\n{")); err == nil {
		t.Error("a cut line is taken")
	}
}
