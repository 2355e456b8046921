package extproc

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// codec reads and writes the messages of this package by hand, and leaves all others to the codec of gRPC.
type codec struct{ encoding.CodecV2 }

// Marshal writes a message.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	w, ours := v.(*outgoing)
	if !ours {
		return c.CodecV2.Marshal(v)
	}
	if w.constant != nil {
		return mem.BufferSlice{mem.SliceBuffer(w.constant)}, nil
	}
	// w is written to again while these bytes still wait to be sent.
	return mem.BufferSlice{mem.Copy(w.b, mem.DefaultBufferPool())}, nil
}

// Unmarshal reads a message.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ours := v.(*incoming)
	if !ours {
		return c.CodecV2.Unmarshal(data, v)
	}
	if len(data) == 1 {
		return m.read(data[0].ReadOnlyData())
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	return m.read(whole.ReadOnlyData())
}
