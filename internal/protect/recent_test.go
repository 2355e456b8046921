package protect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
)

// TestRecentDigests asks for more digests than are remembered, again and again and from several goroutines: each is the
// HMAC that it was without memory.
func TestRecentDigests(t *testing.T) {
	d := NewDigester([]byte("key"))
	plain := func(key []byte, data string) (out seshat.Digest) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(data))
		copy(out[:], mac.Sum(nil))
		return out
	}
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			h := d.Hasher()
			for i := range 3 * recentShards * recentPlaces {
				value := strconv.Itoa((i * (g + 1)) % (recentShards * recentPlaces * 2))
				if i%64 != 0 { // most are there to be forgotten again
					h.HashString(value)
					continue
				}
				for range 2 {
					if got := h.HashString(value); got != plain(d.valueKey, value) {
						t.Errorf("the digest of %s is %s", value, got)
					}
					labelled := string(binary.BigEndian.AppendUint64(nil, 1)) + "l" + string(binary.BigEndian.AppendUint64(nil, uint64(len(value)))) + value
					if got := h.HashLabelled("l", value); got != plain(d.labelledKey, labelled) {
						t.Errorf("the labelled digest of %s is %s", value, got)
					}
				}
			}
		})
	}
	group.Wait()
}

func TestDigests(t *testing.T) {
	o, x, id := testObserver(), testExchange(), testIdentity()
	id.IDs = append(id.IDs, seshat.FoundID{Deleted: true})
	digests := Digests(o.hasher, id, []seshat.Digest{{9}})[1:]
	observed := o.Observe(x, id, nil)
	for i := range observed.IDs {
		if digests[i] != observed.IDs[i].Digest {
			t.Errorf("digest %d is %s, and observed as %s", i, digests[i], observed.IDs[i].Digest)
		}
	}
	if len(digests) != len(id.IDs) {
		t.Errorf("%d digests of %d IDs", len(digests), len(id.IDs))
	}
}

// TestObserveInto uses one observation for many exchanges: each time it is what Observe makes of the exchange, and
// nothing of those before is in it.
func TestObserveInto(t *testing.T) {
	o, other := testObserver(), testObserver()
	var into seshat.Observation
	rapid.Check(t, func(t *rapid.T) {
		x, id := testExchange(), testIdentity()
		id.IDs = id.IDs[:rapid.IntRange(0, len(id.IDs)).Draw(t, "ids")]
		id.Grouping = 0
		id.Parameters = id.Parameters[:rapid.IntRange(0, len(id.Parameters)).Draw(t, "parameters")]
		id.Flows = id.Flows[:rapid.IntRange(0, len(id.Flows)).Draw(t, "flows")]
		x.Request.Path = rapid.SampledFrom([]string{"", "/", "/v1/orders/42", x.Request.Path, "/a/" + agentSecret}).Draw(t, "path")
		x.ID, x.TraceID = rapid.String().Draw(t, "id"), rapid.StringMatching("[0-9a-f]{0,32}").Draw(t, "trace")
		x.Request.Header = x.Request.Header[:rapid.IntRange(0, len(x.Request.Header)).Draw(t, "fields")]
		into.Verdict = seshat.ObservedVerdict{Action: seshat.ActionBlock}
		o.ObserveInto(&into, x, id, nil, nil)
		want := other.Observe(x, id, nil)
		if diff := cmp.Diff(want, &into, cmpopts.EquateEmpty(), cmpopts.EquateComparable(x.Client.IP)); diff != "" {
			t.Fatalf("-Observe +ObserveInto\n%s", diff)
		}
	})
	// What Observe returned stays as it is while the memory is used for others.
	x, id := testExchange(), testIdentity()
	kept := o.Observe(x, id, nil)
	before, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	x.Request.Path, x.ID = "/other/path/of/some/length", "another"
	o.ObserveInto(&into, x, id, nil, nil)
	if after, err := json.Marshal(kept); err != nil || string(after) != string(before) {
		t.Errorf("an observation changed from %s to %s, %v", before, after, err)
	}
	x.Request.Header, id.IDs, id.Parameters = x.Request.Header[:2], id.IDs[:2], nil
	if n := testing.AllocsPerRun(100, func() { o.ObserveInto(&into, x, id, nil, nil) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
