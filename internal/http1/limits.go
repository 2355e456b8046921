package http1

// Limits bound a head.
type Limits struct {
	// HeadBytes is how many bytes a head may have, the empty line at its end included.
	HeadBytes int
	// LineBytes is how many bytes the method, the target and the version may have.
	LineBytes int
	// Fields is how many field lines a head may have.
	Fields int
}

const (
	// DefaultHeadBytes is more than NGINX takes by default (32 KiB), since tokens and cookies grow.
	DefaultHeadBytes = 64 << 10
	// DefaultLineBytes is four times what RFC 9112, section 3, asks to be supported, and as much as NGINX and Go take.
	DefaultLineBytes = 32 << 10
	// DefaultFields is as in Envoy, and a multiple of what browsers and proxies send together.
	DefaultFields = 128

	// maxChunkDigits is how many hexadecimal digits a chunk size may have. 16 are 64 bits; more is an attempt to overflow.
	maxChunkDigits = 16
	// maxChunkLine is how many bytes of extensions one chunk may have. Nobody is known to use any.
	maxChunkLine = 256
	// maxChunkExtensions is how many bytes of extensions one body may have in all.
	maxChunkExtensions = 4 << 10
	// maxTrailerBytes and maxTrailerFields bound the trailer section: checksums, signatures, timings, gRPC-Web's status.
	maxTrailerBytes  = 8 << 10
	maxTrailerFields = 32
	// maxLength is the longest body that can be announced: what an int64 counts.
	maxLength = 1<<63 - 1
)

func (l *Limits) fill() Limits {
	out := *l
	if out.HeadBytes <= 0 {
		out.HeadBytes = DefaultHeadBytes
	}
	if out.LineBytes <= 0 {
		out.LineBytes = DefaultLineBytes
	}
	if out.Fields <= 0 {
		out.Fields = DefaultFields
	}
	return out
}
