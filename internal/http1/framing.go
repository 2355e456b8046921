package http1

// Framing is how the end of a body is known.
type Framing uint8

// The ways (RFC 9112, section 6.3).
const (
	NoBody Framing = iota
	Length
	Chunked
	UntilClose // responses only
)

func (f Framing) String() string {
	switch f {
	case NoBody:
		return "none"
	case Length:
		return "length"
	case Chunked:
		return "chunked"
	case UntilClose:
		return "until close"
	default:
		return "unknown"
	}
}

// parseFraming reads Content-Length and Transfer-Encoding. found says that one of them is there.
func (h *Head) parseFraming() (found bool, reason Reason) {
	if h.kinds&(1<<ContentLength|1<<TransferEncoding) == 0 {
		return false, OK
	}
	lengths, codings := 0, 0
	for i := range h.Lines {
		switch h.Lines[i].Kind {
		case ContentLength:
			lengths++
			if h.Length, reason = parseLength(h.Fields[i].Value); reason != OK {
				return true, reason
			}
			h.Framing = Length
		case TransferEncoding:
			codings++
			if reason = checkCoding(h.Fields[i].Value); reason != OK {
				return true, reason
			}
			h.Framing = Chunked
		default:
		}
	}
	switch {
	case lengths > 0 && codings > 0:
		return true, LengthAndChunked
	case lengths > 1: // equal ones too: whoever repeats it is confused, or hopes that somebody is
		return true, SeveralContentLengths
	case codings > 1:
		return true, SeveralTransferEncodings
	case codings > 0 && h.Minor == 0:
		return true, TransferEncodingIn10
	}
	return true, OK
}

// parseLength takes digits only: no sign, no list, nothing that does not fit.
func parseLength(s string) (int64, Reason) {
	if s == "" {
		return 0, BadContentLength
	}
	var n uint64
	for i := range len(s) {
		c := s[i] - '0'
		switch {
		case c > 9 && s[i] == ',':
			return 0, SeveralContentLengths
		case c > 9, n > (maxLength-9)/10: // the largest few lengths are given up for a simple check
			return 0, BadContentLength
		}
		n = n*10 + uint64(c)
	}
	return int64(n), OK
}

// checkCoding accepts "chunked" alone. Compressing codings of RFC 9112, section 7.2, have no use that Content-Encoding
// has not, and a list in which chunked is hidden is what smuggling is made of.
func checkCoding(value string) Reason {
	if equalFold(value, "chunked") {
		return OK
	}
	if value == "" {
		return BadTransferEncoding
	}
	for value != "" { // a list of codings that somebody may have, or nonsense?
		coding := value
		for i := range len(value) {
			if value[i] == ',' {
				coding = value[:i]
				break
			}
		}
		if value = value[len(coding):]; value != "" {
			if value = value[1:]; value == "" {
				return BadTransferEncoding
			}
		}
		if coding = trim(coding); coding == "" {
			return BadTransferEncoding
		}
		for i := range len(coding) {
			if chars[coding[i]]&tokenChar == 0 {
				return BadTransferEncoding
			}
		}
	}
	return CodingNotSupported
}
