package http1

// Form is the form of a request target (RFC 9112, section 3.2).
type Form uint8

// The forms. The authority form is CONNECT's, which is refused.
const (
	OriginForm   Form = iota // "/path?query"
	AbsoluteForm             // "http://host/path?query"
	AsteriskForm             // "*", with OPTIONS
)

// Request is the head of a request.
type Request struct {
	Head
	Method string
	Target string // as it was sent
	Form   Form
	// Scheme is that of the absolute form, in the case in which it was sent, and else empty.
	Scheme string
	Path   string // "*" in the asterisk form; "/" for an absolute form without a path
	Query  string // without "?"
	// HasQuery tells an empty query from none.
	HasQuery bool
	// Host is the host that is meant, with its port where one was sent: the Host field or the authority of the target,
	// which are the same. Empty only in HTTP/1.0.
	Host string
	// Continue says that the client waits for 100 (Continue) before it sends the body.
	Continue bool
	// Start is where the request line starts: after an empty line, which is tolerated.
	Start int
	// LineEnd is where the request line ends, its CRLF included.
	LineEnd int
}

// Parse reads the head of a request at the beginning of b. Incomplete means that more of it has to be read; every
// other reason but OK is final.
//
// One empty line before the request is skipped, as RFC 9112, section 2.2, asks: some clients end a body with CRLF that
// they do not count.
func (r *Request) Parse(b []byte, limits Limits) Reason {
	limits = limits.fill()
	*r = Request{Head: Head{Fields: r.Fields[:0], Lines: r.Lines[:0]}}
	reason := r.parse(b, &limits)
	if r.Size > limits.HeadBytes || reason == Incomplete && len(b) >= limits.HeadBytes {
		return HeadTooLong
	}
	return reason
}

func (r *Request) parse(b []byte, limits *Limits) Reason {
	i, reason := r.parseLine(b, limits)
	if reason != OK {
		return reason
	}
	if _, reason = r.parseFields(b, i, limits); reason != OK {
		return reason
	}
	if r.Size > limits.HeadBytes {
		return HeadTooLong
	}
	if _, reason = r.parseFraming(); reason != OK {
		return reason
	}
	if reason = r.parseConnection(); reason != OK {
		return reason
	}
	if reason = r.parseHost(); reason != OK {
		return reason
	}
	return r.parseExpect()
}

// parseLine reads the request line: three words with one space between them.
func (r *Request) parseLine(b []byte, limits *Limits) (int, Reason) {
	i := 0
	if len(b) >= 2 && b[0] == '\r' && b[1] == '\n' {
		i = 2
	} else if len(b) == 1 && b[0] == '\r' {
		return 0, Incomplete
	}
	r.Start = i
	start := i
	for i < len(b) && chars[b[i]]&tokenChar != 0 {
		i++
	}
	if i-start > limits.LineBytes {
		return i, TargetTooLong
	}
	if i == len(b) {
		return i, Incomplete
	}
	if b[i] != ' ' || i == start {
		return i, badMethod(b, start, i)
	}
	r.Method = text(b[start:i])
	i++
	target := i
	for i < len(b) && chars[b[i]]&targetChar != 0 {
		i++
	}
	if i-start > limits.LineBytes {
		return i, TargetTooLong
	}
	if i == len(b) {
		return i, Incomplete
	}
	switch {
	case b[i] == '\r' || b[i] == '\n' || i == target:
		return i, BadRequestLine
	case b[i] != ' ':
		return i, BadTarget
	}
	r.Target = text(b[target:i])
	i++
	const version = "HTTP/1.1\r\n"
	if len(b)-i < len(version) {
		return i, incompleteVersion(b[i:])
	}
	switch string(b[i : i+len(version)]) {
	case version:
		r.Minor = 1
	case "HTTP/1.0\r\n":
		r.Minor = 0
	default:
		return i, badVersion(b[i:])
	}
	r.LineEnd = i + len(version)
	return r.LineEnd, r.parseTarget()
}

func badMethod(b []byte, start, i int) Reason {
	switch {
	case b[i] == '\n' && i == start:
		return BareLF
	case b[i] == '\r' || b[i] == '\n':
		return BadRequestLine
	default:
		return BadMethod
	}
}

// incompleteVersion is for the beginning of a version: what cannot become a good one is refused at once.
func incompleteVersion(b []byte) Reason {
	const version = "HTTP/1.1\r\n"
	if string(b) == version[:len(b)] || string(b) == "HTTP/1.0\r\n"[:len(b)] {
		return Incomplete
	}
	for _, c := range b {
		if c == '\n' {
			return badVersion(b)
		}
	}
	if len(b) >= len("HTTP/1.1") {
		return badVersion(b)
	}
	return Incomplete
}

// badVersion tells versions that are not spoken here from what is no version.
func badVersion(b []byte) Reason {
	const prefix = "HTTP/"
	switch {
	case len(b) < len(prefix)+3 || string(b[:len(prefix)]) != prefix:
		return BadVersion
	case !isDigit(b[5]) || b[6] != '.' || !isDigit(b[7]):
		return BadVersion
	case b[5] == '1' && (b[7] == '0' || b[7] == '1'):
		switch {
		case len(b) > 8 && b[8] == '\n':
			return BareLF
		case len(b) > 8 && b[8] == ' ':
			return BadRequestLine
		default:
			return BadVersion
		}
	default:
		return VersionNotSupported
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseExpect takes 100-continue alone. HTTP/1.0 has no expectations; what an old client sends there is ignored
// (RFC 9110, section 10.1.1).
func (r *Request) parseExpect() Reason {
	if !r.Has(Expect) || r.Minor == 0 {
		return OK
	}
	n := 0
	for i := range r.Lines {
		if r.Lines[i].Kind == Expect {
			if n++; n > 1 || !equalFold(r.Fields[i].Value, "100-continue") {
				return UnknownExpectation
			}
		}
	}
	r.Continue = r.Framing != NoBody
	return OK
}
