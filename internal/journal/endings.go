package journal

import (
	"github.com/zeebo/xxh3"

	"github.com/seshat-project/seshat"
)

// ending is what an observation says from its client session IDs on: most of its bytes, and most of its memory. A client
// sends the same cookies and tokens with every request, so that it mostly is that of an exchange a moment ago, and need not
// be decoded, nor kept, once more.
type ending struct {
	encoded    []byte
	ids        []seshat.ObservedID
	grouping   int
	parameters []seshat.Parameter
	flows      []seshat.FlowMatch
	verdict    seshat.ObservedVerdict
}

// give has o say what the ending says. The lists are those of others too.
func (e *ending) give(o *seshat.Observation) {
	o.IDs, o.Grouping, o.Parameters, o.Flows, o.Verdict = e.ids, e.grouping, e.parameters, e.flows, e.verdict
}

// What is remembered of endings: those of some two thousand clients, which take 4 MB; 20 MB if all of them are as long as they
// may be.
const (
	rememberedEndings = 2048 // a power of two
	longestEnding     = 2 << 10
	mostListed        = 32
)

// endings are those that came twice lately. One that comes a single time, as in an import each may, takes no place of
// another.
type endings struct {
	places [rememberedEndings]endingPlace
}

type endingPlace struct {
	seen uint64 // the hash of the last one that belonged here and was not the one that is kept
	kept *ending
}

// find returns the ending with these bytes, or else where it is to be kept if it is worth it.
func (e *endings) find(encoded []byte) (*ending, *endingPlace) {
	if e == nil || len(encoded) > longestEnding {
		return nil, nil
	}
	hash := xxh3.Hash(encoded)
	place := &e.places[hash%rememberedEndings]
	if place.kept != nil && string(place.kept.encoded) == string(encoded) {
		return place.kept, nil
	}
	if place.seen != hash {
		place.seen = hash
		return nil, nil
	}
	return nil, place
}

// keep keeps the ending of an observation that was decoded from its bytes.
func (p *endingPlace) keep(encoded []byte, o *seshat.Observation) {
	if len(o.IDs)+len(o.Parameters) > mostListed {
		return
	}
	p.kept = &ending{
		encoded: append([]byte(nil), encoded...),
		ids:     o.IDs, grouping: o.Grouping, parameters: o.Parameters, flows: o.Flows, verdict: o.Verdict,
	}
}
