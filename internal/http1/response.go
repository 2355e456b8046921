package http1

// Response is the head of a response.
type Response struct {
	Head
	Status int
	// LineEnd is where the status line ends, its CRLF included.
	LineEnd int
	// Phrase is the reason phrase. It may be empty.
	Phrase string
}

// Informational reports whether another response follows to the same request.
func (r *Response) Informational() bool {
	const switching, first = 101, 200
	return r.Status < first && r.Status != switching
}

// Parse reads the head of a response at the beginning of b; method is that of the request. Incomplete means that more of
// it has to be read; every other reason but OK is final. It is as strict as with requests: an origin that can be made
// to send what is read in two ways poisons caches and splits responses.
func (r *Response) Parse(b []byte, method string, limits Limits) Reason {
	limits = limits.fill()
	*r = Response{Head: Head{Fields: r.Fields[:0], Lines: r.Lines[:0]}}
	reason := r.parse(b, method, &limits)
	if r.Size > limits.HeadBytes || reason == Incomplete && len(b) >= limits.HeadBytes {
		return HeadTooLong
	}
	return reason
}

func (r *Response) parse(b []byte, method string, limits *Limits) Reason {
	i, reason := r.parseLine(b, limits)
	if reason != OK {
		return reason
	}
	if _, reason = r.parseFields(b, i, limits); reason != OK {
		return reason
	}
	found, reason := r.parseFraming()
	if reason != OK {
		return reason
	}
	if reason = r.parseConnection(); reason != OK {
		return reason
	}
	const noContent, notModified, firstFinal = 204, 304, 200
	switch {
	case r.Status < firstFinal || r.Status == noContent || r.Status == notModified || method == "HEAD":
		r.Framing = NoBody // what Content-Length says is of another response
	case !found:
		r.Framing = UntilClose
	}
	return OK
}

// parseLine reads the status line. The space before an empty phrase may be missing, as it is with some servers.
func (r *Response) parseLine(b []byte, limits *Limits) (int, Reason) {
	const prefix = "HTTP/1.x 200"
	if len(b) < len(prefix)+1 {
		const start = "HTTP/1."
		if n := min(len(b), len(start)); string(b[:n]) != start[:n] {
			return 0, BadStatusLine
		}
		return 0, Incomplete
	}
	if string(b[:7]) != "HTTP/1." || b[7] != '0' && b[7] != '1' || b[8] != ' ' ||
		!isDigit(b[9]) || b[9] == '0' || !isDigit(b[10]) || !isDigit(b[11]) {
		return 0, BadStatusLine
	}
	r.Minor = int(b[7] - '0')
	r.Status = int(b[9]-'0')*100 + int(b[10]-'0')*10 + int(b[11]-'0')
	i := len(prefix)
	phrase := i
	if b[i] == ' ' {
		phrase = i + 1
		for i = control(b, phrase); i < len(b) && b[i] == '\t'; {
			i = control(b, i+1)
		}
	}
	switch {
	case i > limits.LineBytes:
		return i, HeadTooLong
	case i >= len(b):
		return i, Incomplete
	case b[i] == '\n':
		return i, BareLF
	case b[i] != '\r':
		return i, BadStatusLine
	case i+1 >= len(b):
		return i, Incomplete
	case b[i+1] != '\n':
		return i, BareCR
	}
	r.Phrase = text(b[phrase:i])
	r.LineEnd = i + 2
	return r.LineEnd, OK
}
