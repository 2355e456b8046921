package duckdb

import (
	"unsafe"

	"github.com/seshat-project/seshat"
)

// alike knows the numbers of lists that exchanges of one batch share: the journal gives equal ones to exchanges of one client,
// in the same memory. So their identities and contexts need not be looked at in full, which costs more than anything else
// that is done for an exchange here. What is not shared, or not known any more, is looked at, with the same result.
type alike [alikePlaces]alikeNumbers

// alikePlaces is a power of two: of 2^alikeBits clients at a time.
const (
	alikeBits   = 11
	alikePlaces = 1 << alikeBits
)

type alikeNumbers struct {
	of                *seshat.Observation // nil where nothing is known
	identity, context int64
}

// place is where the numbers of o are known, if they are. Lists that are shared are where they are.
func (a *alike) place(o *seshat.Observation) *alikeNumbers {
	const spread = 0x9e3779b97f4a7c15                                                          // of which the upper bits of a product depend on all bits of the other factor
	return &a[uint64(uintptr(unsafe.Pointer(unsafe.SliceData(o.IDs))))*spread>>(64-alikeBits)] //nolint:gosec // compared only
}

// numbers are the numbers of the identity and of the context of o.
func (w *writer) numbers(b *bulk, o *seshat.Observation) (identity, context int64) {
	place := w.alike.place(o)
	if place.of == nil || !endAlike(place.of, o) {
		*place = alikeNumbers{of: o, identity: w.identity(b, o), context: w.context(b, o)}
	}
	return place.identity, place.context
}

// endAlike reports whether everything that the numbers of x and y depend on is the same. It may say no where it is.
func endAlike(x, y *seshat.Observation) bool {
	return sameList(x.IDs, y.IDs) && x.Grouping == y.Grouping && x.Device == y.Device &&
		x.ClientIP.IsValid() == y.ClientIP.IsValid() && // see keptMask
		sameList(x.Parameters, y.Parameters) && sameList(x.Flows, y.Flows) &&
		x.Verdict.Action == y.Verdict.Action && x.Verdict.By == y.Verdict.By && sameList(x.Verdict.Tags, y.Verdict.Tags)
}

// sameList reports whether x and y are one list in memory.
func sameList[T any](x, y []T) bool {
	return len(x) == len(y) && unsafe.SliceData(x) == unsafe.SliceData(y) //nolint:gosec // compared only
}
