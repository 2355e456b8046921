package http1

import "strings"

// parseTarget takes the target apart. RFC 9112, section 3.2, allows what RFC 3986 does. Beyond that, every visible ASCII
// character is accepted, as browsers send "|", "^", "{" and others as they are. Refused are:
//   - a fragment: "#" has no place in a target, and servers differ in whether it ends the path;
//   - bytes that are not ASCII, control characters and spaces: they have to be percent-encoded, and servers differ in what
//     they make of them otherwise;
//   - a "%" in the path without two hexadecimal digits, which servers decode differently. In a query it is common text
//     ("?discount=10%") and passed on.
func (r *Request) parseTarget() Reason {
	switch r.Method {
	case "CONNECT", "TRACE":
		// A gateway is no tunnel, and an origin that answers TRACE gives away cookies and credentials.
		return MethodNotSupported
	}
	t := r.Target
	switch {
	case t[0] == '/':
		r.Form = OriginForm
		return r.parsePath(t)
	case t == "*":
		if r.Method != "OPTIONS" {
			return BadTarget
		}
		r.Form, r.Path = AsteriskForm, "*"
		return OK
	}
	scheme, rest, ok := strings.Cut(t, "://")
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return BadTarget
	}
	r.Form, r.Scheme = AbsoluteForm, scheme
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if r.Host = rest[:end]; !validHost(r.Host) {
		return BadTarget // user information too: nobody may send it (RFC 9110, section 4.2.4)
	}
	return r.parsePath(rest[end:])
}

func (r *Request) parsePath(t string) Reason {
	path := t
	if i := strings.IndexByte(t, '?'); i >= 0 {
		path, r.Query, r.HasQuery = t[:i], t[i+1:], true
	}
	for i := 0; ; i++ {
		next := strings.IndexByte(path[i:], '%')
		if next < 0 {
			break
		}
		i += next
		if i+2 >= len(path) || chars[path[i+1]]&hexChar == 0 || chars[path[i+2]]&hexChar == 0 {
			return BadTarget
		}
	}
	if path == "" {
		path = "/"
	}
	r.Path = path
	return OK
}

// parseHost checks the Host field (RFC 9112, section 3.2).
func (r *Request) parseHost() Reason {
	if !r.Has(Host) {
		if r.Minor == 1 {
			return NoHost
		}
		return OK
	}
	n, value := 0, ""
	for i := range r.Lines {
		if r.Lines[i].Kind == Host {
			n++
			value = r.Fields[i].Value
		}
	}
	switch {
	case n > 1:
		return SeveralHosts
	case !validHost(value):
		return BadHost
	case r.Form == AbsoluteForm && !sameHost(value, r.Host, r.Scheme):
		// A client has to send the same in both (RFC 9112, section 3.2), and servers differ in which one they believe.
		return HostDiffers
	}
	r.Host = value
	return OK
}

// validHost accepts a name, an IPv4 address or an IPv6 address in brackets, and a port. The delimiters and escapes that
// RFC 3986 allows in names are in no name that resolves, and in many that attack.
func validHost(s string) bool {
	if s == "" {
		return false
	}
	i := 0
	if s[0] == '[' {
		end := strings.IndexByte(s, ']')
		const shortest = len("[::")
		if end < shortest {
			return false
		}
		for _, c := range []byte(s[1:end]) {
			if chars[c]&hexChar == 0 && c != ':' && c != '.' {
				return false
			}
		}
		i = end + 1
	} else {
		for i < len(s) && chars[s[i]]&nameChar != 0 {
			i++
		}
		if i == 0 {
			return false
		}
	}
	if i == len(s) {
		return true
	}
	if s[i] != ':' {
		return false
	}
	port := s[i+1:]
	const mostDigits = len("65535")
	if len(port) > mostDigits {
		return false
	}
	n := 0
	for i := range len(port) {
		if !isDigit(port[i]) {
			return false
		}
		n = n*10 + int(port[i]-'0')
	}
	const mostPort = 1<<16 - 1
	return n <= mostPort
}

// sameHost compares a Host field with the authority of a target: without regard to case, and a default port may be
// missing on either side.
func sameHost(a, b, scheme string) bool {
	port := ":80"
	if equalFold(scheme, "https") {
		port = ":443"
	}
	a, b = strings.TrimSuffix(a, port), strings.TrimSuffix(b, port)
	return foldEqual(strings.TrimSuffix(a, ":"), strings.TrimSuffix(b, ":"))
}
