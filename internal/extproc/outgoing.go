package extproc

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/seshat-project/seshat"
)

// outgoing is a ProcessingResponse as it goes onto the wire.
type outgoing struct {
	b        []byte
	constant []byte // one of the constant answers, in place of b; it must not be written to
}

// empty are the answers that change nothing, by part: most answers are these.
var empty = [...][]byte{
	partRequestHeader:   {1<<3 | wireBytes, 0},
	partResponseHeader:  {2<<3 | wireBytes, 0},
	partRequestBody:     {3<<3 | wireBytes, 0},
	partResponseBody:    {4<<3 | wireBytes, 0},
	partRequestTrailer:  {5<<3 | wireBytes, 0},
	partResponseTrailer: {6<<3 | wireBytes, 0},
}

// responseField is the number of the member of ProcessingResponse that answers a part.
func responseField(p part) protowire.Number {
	switch p {
	case partRequestHeader:
		return 1
	case partResponseHeader:
		return 2
	case partRequestBody:
		return 3
	case partResponseBody:
		return 4
	case partRequestTrailer:
		return 5
	default:
		return 6
	}
}

func (w *outgoing) reset() { w.b, w.constant = w.b[:0], nil }

func (w *outgoing) isEmpty() bool { return len(w.b) == 0 && w.constant == nil }

// open begins a field that is a message; shut ends it.
func (w *outgoing) open(number protowire.Number) (start int) {
	w.b = protowire.AppendTag(w.b, number, protowire.BytesType)
	return len(w.b)
}

// shut puts the length before what was written since open. Moving it is cheaper than to measure it first: these messages
// have some hundred bytes.
func (w *outgoing) shut(start int) {
	n := len(w.b) - start
	size := protowire.SizeVarint(uint64(n))
	var room [10]byte
	w.b = append(w.b, room[:size]...)
	copy(w.b[start+size:], w.b[start:start+n])
	protowire.AppendVarint(w.b[:start], uint64(n))
}

func (w *outgoing) text(number protowire.Number, s string) {
	w.b = protowire.AppendTag(w.b, number, protowire.BytesType)
	w.b = protowire.AppendString(w.b, s)
}

func (w *outgoing) bytes(number protowire.Number, b []byte) {
	w.b = protowire.AppendTag(w.b, number, protowire.BytesType)
	w.b = protowire.AppendBytes(w.b, b)
}

func (w *outgoing) number(number protowire.Number, v uint64) {
	w.b = protowire.AppendTag(w.b, number, protowire.VarintType)
	w.b = protowire.AppendVarint(w.b, v)
}

// unchanged answers that p goes on as it is.
func (w *outgoing) unchanged(p part) { w.constant = empty[p] }

// changing makes an answer that changes nothing one that more can be added to.
func (w *outgoing) changing(p part) {
	if w.constant != nil {
		w.constant = nil
		w.header(p, &mutation{})
	}
}

// message is what goes onto the wire.
func (w *outgoing) message() []byte {
	if w.constant != nil {
		return w.constant
	}
	return w.b
}

// mutation is what is changed in a header.
type mutation struct {
	add    []seshat.Field // after what the header has under the same name
	set    []seshat.Field // in place of what the header has under the same name
	remove []string
}

func (m *mutation) none() bool { return len(m.add) == 0 && len(m.set) == 0 && len(m.remove) == 0 }

// header answers a header or a body with changes of the header.
func (w *outgoing) header(p part, m *mutation) {
	if m.none() {
		w.open(responseField(p))
		w.b = append(w.b, 0)
		return
	}
	response := w.open(responseField(p))
	common := w.open(1)
	w.mutation(2, m)
	w.shut(common)
	w.shut(response)
}

// mutation writes HeaderMutation.
func (w *outgoing) mutation(number protowire.Number, m *mutation) {
	start := w.open(number)
	for i := range m.set {
		w.field(&m.set[i], repeated(m.set[:i], m.set[i].Name))
	}
	for i := range m.add {
		w.field(&m.add[i], true)
	}
	for _, name := range m.remove {
		w.text(2, name)
	}
	w.shut(start)
}

// repeated reports whether name is among fields: the second of a name is added to the first.
func repeated(fields []seshat.Field, name string) bool {
	for i := range fields {
		if fields[i].Name == name {
			return true
		}
	}
	return false
}

// field writes HeaderValueOption. In this message the default of append_action, to add, overwrites all the same: adding has
// to be said by "append".
func (w *outgoing) field(f *seshat.Field, add bool) {
	const overwrite = 2 // OVERWRITE_IF_EXISTS_OR_ADD
	option := w.open(1)
	value := w.open(1)
	w.text(1, f.Name)
	w.text(3, f.Value)
	w.shut(value)
	if add {
		yes := w.open(2)
		w.number(1, 1)
		w.shut(yes)
	} else {
		w.number(3, overwrite)
	}
	w.shut(option)
}

// immediate is an answer that Envoy gives in place of the origin's.
type immediate struct {
	status  int
	set     []seshat.Field
	body    []byte
	grpc    uint32 // the status of gRPC when the request is of gRPC, and 0
	details string // for Envoy's access log (%RESPONSE_CODE_DETAILS%)
}

func (w *outgoing) immediate(a *immediate) {
	response := w.open(7)
	status := w.open(1)
	w.number(1, uint64(a.status))
	w.shut(status)
	if len(a.set) > 0 {
		w.mutation(2, &mutation{set: a.set})
	}
	if len(a.body) > 0 {
		w.bytes(3, a.body)
	}
	if a.grpc != 0 {
		status := w.open(4)
		w.number(1, uint64(a.grpc))
		w.shut(status)
	}
	if a.details != "" {
		w.text(5, a.details)
	}
	w.shut(response)
}

// override asks Envoy to send other parts than it is set to.
func (w *outgoing) override(request, response bodyMode) {
	start := w.open(9)
	if request != bodyNone {
		w.number(3, uint64(request))
	}
	if response != bodyNone {
		w.number(4, uint64(response))
	}
	w.shut(start)
}

// echo answers a piece of a body that Envoy gave away (FULL_DUPLEX_STREAMED) with the same bytes.
func (w *outgoing) echo(p part, body []byte, end bool) {
	response := w.open(responseField(p))
	common := w.open(1)
	mutation := w.open(3)
	streamed := w.open(3)
	if len(body) > 0 {
		w.bytes(1, body)
	}
	if end {
		w.number(2, 1)
	}
	w.shut(streamed)
	w.shut(mutation)
	w.shut(common)
	w.shut(response)
}
