package accuracy

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// input reads "session/user" of each exchange, and its predicted session ("~" before it: by the fallback).
func input(truth, predicted string) Input {
	in := Input{Prediction: map[string]Prediction{}}
	for i, field := range strings.Fields(truth) {
		session, user, _ := strings.Cut(field, "/")
		in.Truth = append(in.Truth, Truth{ID: fmt.Sprint(i), Session: session, User: user, Label: "benign"})
	}
	for i, session := range strings.Fields(predicted) {
		if session != "." {
			name, fallback := strings.CutPrefix(session, "~")
			in.Prediction[fmt.Sprint(i)] = Prediction{Session: name, Fallback: fallback}
		}
	}
	return in
}

func TestEvaluate(t *testing.T) {
	f := func(truth, predicted, bCubed, pairwise string, mixed, signedIn, split int) {
		t.Helper()
		r := Evaluate(input(truth, predicted))
		if r.BCubed.String() != bCubed || r.Pairwise.String() != pairwise {
			t.Fatalf("%s as %s: B-cubed %s, pairwise %s; want %s and %s", truth, predicted, r.BCubed, r.Pairwise, bCubed, pairwise)
		}
		if r.MixedUsers != mixed || r.MixedSignedIn != signedIn || r.Split != split {
			t.Fatalf("%s as %s: mixed %d, signed in %d, split %d; want %d, %d, %d",
				truth, predicted, r.MixedUsers, r.MixedSignedIn, r.Split, mixed, signedIn, split)
		}
	}
	f("a/u a/u b/v", "x x y", "1.000/1.000/1.000", "1.000/1.000/1.000", 0, 0, 0)
	f("a/u a/u a/u a/u", "x x y y", "1.000/0.500/0.667", "1.000/0.333/0.500", 0, 0, 1)
	f("a/u a/u b/v b/v", "x x x x", "0.500/1.000/0.667", "0.333/1.000/0.500", 1, 1, 0)
	f("a/u a/u b/u b/u", "x x x x", "0.500/1.000/0.667", "0.333/1.000/0.500", 0, 0, 0)
	// The example of Amigó and others (2009), where pairs weigh large groups more: 4+1 and 1+4 of ten.
	f("a/u a/u a/u a/u a/u b/u b/u b/u b/u b/u", "x x x x y x y y y y", "0.680/0.680/0.680", "0.600/0.600/0.600", 0, 0, 2)
	// An exchange without a prediction is a session of its own.
	f("a/u a/u", "x .", "1.000/0.500/0.667", "1.000/0.000/0.000", 0, 0, 1)
	// Anonymous users and sessions of the fallback are mixed users, but no accounts.
	f("a/u b/anon-1", "x x", "0.500/1.000/0.667", "0.000/1.000/0.000", 1, 0, 0)
	f("a/u b/v", "~x ~x", "0.500/1.000/0.667", "0.000/1.000/0.000", 1, 0, 0)
	f("a/u b/v", "~x x", "0.500/1.000/0.667", "0.000/1.000/0.000", 1, 1, 0)
}

func TestParts(t *testing.T) {
	in := input("a/u a/u b/v b/v", "x x x z")
	in.Truth[3].Label = "scraper"
	in.Service = map[string]string{"0": "shop", "1": "shop", "2": "api", "3": "api"}
	in.Prediction["9"] = Prediction{Session: "x"}
	r := Evaluate(in)
	if got := r.ByService["shop"]; got.BCubed.F1 != 1 || got.Exchanges != 2 {
		t.Errorf("service shop: %+v; alone it is grouped without fault", got)
	}
	if got := r.ByService["api"]; got.Split != 1 || got.MixedUsers != 0 {
		t.Errorf("service api: %+v; want one split session", got)
	}
	if got := r.ByLabel["scraper"].Exchanges + r.ByLabel["benign"].Exchanges; got != 4 {
		t.Errorf("labels have %d exchanges, want 4", got)
	}
	if r.Unknown != 1 || r.Missing != 0 {
		t.Errorf("unknown %d, missing %d; want 1, 0", r.Unknown, r.Missing)
	}
	if len(r.Mixed) != 1 || r.Mixed[0].Session != "x" || strings.Join(r.Mixed[0].Users, " ") != "u v" {
		t.Errorf("mixed: %+v", r.Mixed)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"service api", "label scraper", "x: u, v", "1 predictions are of exchanges"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, text.String())
		}
	}
}

// TestAgainstDefinition compares with the definitions, computed exchange by exchange and pair by pair.
func TestAgainstDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		in := Input{Prediction: map[string]Prediction{}}
		for i := range n {
			id := fmt.Sprint(i)
			in.Truth = append(in.Truth, Truth{ID: id, Session: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "true")})
			in.Prediction[id] = Prediction{Session: rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "predicted")}
		}
		var p, r, both, together, truly float64
		for i := range n {
			var inBoth, inPredicted, inTrue float64
			for j := range n {
				sameTrue := in.Truth[i].Session == in.Truth[j].Session
				same := in.Prediction[in.Truth[i].ID].Session == in.Prediction[in.Truth[j].ID].Session
				if same {
					inPredicted++
				}
				if sameTrue {
					inTrue++
				}
				if same && sameTrue {
					inBoth++
				}
				if j > i && same {
					together++
				}
				if j > i && sameTrue {
					truly++
				}
				if j > i && same && sameTrue {
					both++
				}
			}
			p += inBoth / inPredicted / float64(n)
			r += inBoth / inTrue / float64(n)
		}
		got := Evaluate(in)
		if math.Abs(got.BCubed.Precision-p) > 1e-9 || math.Abs(got.BCubed.Recall-r) > 1e-9 {
			t.Fatalf("B-cubed %v, by definition %v/%v", got.BCubed, p, r)
		}
		if together > 0 && math.Abs(got.Pairwise.Precision-both/together) > 1e-9 ||
			truly > 0 && math.Abs(got.Pairwise.Recall-both/truly) > 1e-9 {
			t.Fatalf("pairwise %v, by definition %v/%v", got.Pairwise, both/together, both/truly)
		}
	})
}

// TestBaselines reproduces the published figures of two simple groupings of the recorded traffic.
func TestBaselines(t *testing.T) {
	material := os.Getenv("SESHAT_MATERIAL")
	if material == "" {
		t.Skip("SESHAT_MATERIAL is not set: it names the folder of recorded traffic")
	}
	folder := filepath.Join(material, "traffic", "dev")
	file, err := os.Open(filepath.Join(folder, "truth.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	truth, err := ReadTruth(file)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(filepath.Join(folder, "exchanges.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	exchanges, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	byDevice, byCredential, services := map[string]Prediction{}, map[string]Prediction{}, map[string]string{}
	for decoder := json.NewDecoder(exchanges); decoder.More(); {
		var x struct {
			ID      string
			Service string
			Client  struct{ IP string }
			Request struct{ Headers [][2]string }
		}
		if err := decoder.Decode(&x); err != nil {
			t.Fatal(err)
		}
		header := func(name string) string {
			for _, h := range x.Request.Headers {
				if strings.EqualFold(h[0], name) {
					return h[1]
				}
			}
			return ""
		}
		device := x.Client.IP + " " + header("User-Agent")
		byDevice[x.ID] = Prediction{Session: device, Fallback: true}
		switch authorization, cookie := header("Authorization"), header("Cookie"); {
		case authorization != "":
			byCredential[x.ID] = Prediction{Session: "a " + authorization}
		case cookie != "":
			byCredential[x.ID] = Prediction{Session: "c " + cookie}
		default:
			byCredential[x.ID] = Prediction{Session: "d " + device, Fallback: true}
		}
		services[x.ID] = x.Service
	}
	// The published figures were rounded twice (0.76445 to 0.7645 to 0.765), hence not quite half a unit.
	near := func(got Ratio, precision, recall, f1 float64) bool {
		const within = 0.0006
		return math.Abs(got.Precision-precision) < within && math.Abs(got.Recall-recall) < within && math.Abs(got.F1-f1) < within
	}
	device := Evaluate(Input{Truth: truth, Prediction: byDevice, Service: services})
	if !near(device.BCubed, .519, .791, .627) || !near(device.Pairwise, .148, .755, .247) || device.MixedUsers != 80 || device.Split != 236 {
		t.Errorf("address and user agent: %+v", device.Score)
	}
	credential := Evaluate(Input{Truth: truth, Prediction: byCredential, Service: services})
	if !near(credential.BCubed, .893, .519, .657) || !near(credential.Pairwise, .765, .479, .589) || credential.MixedUsers != 113 || credential.Split != 409 {
		t.Errorf("credentials: %+v", credential.Score)
	}
	if len(device.ByService) != 3 || device.Missing != 0 || device.Unknown != 0 || device.MixedSignedIn != 0 {
		t.Errorf("address and user agent: %d services, %d missing, %d unknown, %d mixed although all by the fallback",
			len(device.ByService), device.Missing, device.Unknown, device.MixedSignedIn)
	}
}
