package resource

// Limits of an input. They are far above what is written by hand or generated for a large installation (10,000
// session rules are about 5 MB), and keep reading in bounded time and memory whoever wrote the input.
const (
	// MaxInput is how many bytes one input may have.
	MaxInput = 8 << 20
	// MaxDocument is how many bytes one YAML document or one JSON value of a stream may have. It keeps a stored
	// revision below the 1 MiB of a value in the key-value store, and reading below 0.1 s: the YAML parser takes
	// time quadratic in the number of keys.
	MaxDocument = 128 << 10
	// MaxDocuments is how many resources one input may hold.
	MaxDocuments = 10_000
	// MaxDepth is how deeply values may be nested. The deepest field of a resource has depth 8.
	MaxDepth = 32
	// MaxValues is how many values a document may have once its aliases are expanded. A document of MaxDocument
	// bytes without aliases has fewer.
	MaxValues = 64 << 10
	// MaxFaults is how many faults of one input are reported. Nobody reads more, and each costs memory.
	MaxFaults = 100
	// MaxName is how many characters a name may have: a DNS label (RFC 1035, section 2.3.4).
	MaxName = 63
)
