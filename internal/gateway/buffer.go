package gateway

import "sync"

// Sizes of buffers. Each connection of a client holds the smallest while it waits, so that is what 65,536 idle ones cost.
const (
	smallBuffer  = 4 << 10
	mediumBuffer = 16 << 10
	// streamBuffer is what bodies go through: two segments of the loopback device, some twenty of a network.
	streamBuffer = 64 << 10
)

// buffers keeps buffers for the next who needs one.
type buffers struct {
	small, medium, stream sync.Pool
}

// get returns a buffer of at least size bytes.
func (p *buffers) get(size int) []byte {
	switch {
	case size <= smallBuffer:
		if b, _ := p.small.Get().(*[smallBuffer]byte); b != nil {
			return b[:]
		}
		return make([]byte, smallBuffer)
	case size <= mediumBuffer:
		if b, _ := p.medium.Get().(*[mediumBuffer]byte); b != nil {
			return b[:]
		}
		return make([]byte, mediumBuffer)
	case size <= streamBuffer:
		if b, _ := p.stream.Get().(*[streamBuffer]byte); b != nil {
			return b[:]
		}
		return make([]byte, streamBuffer)
	default:
		return make([]byte, size)
	}
}

// put takes back a buffer that nobody uses any more.
func (p *buffers) put(b []byte) {
	switch cap(b) {
	case smallBuffer:
		p.small.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case mediumBuffer:
		p.medium.Put((*[mediumBuffer]byte)(b[:mediumBuffer]))
	case streamBuffer:
		p.stream.Put((*[streamBuffer]byte)(b[:streamBuffer]))
	}
}
