package jsonpath

import "bytes"

// Members goes over the members of an object at the root of a document, in order, with the scanner of [Path.First]
// and its leniency. It does not allocate.
//
//	members := jsonpath.ScanMembers(data)
//	for members.Next() {
//		if raw, ok := members.Scalar(); ok && members.NameIs("sub") { … }
//	}
type Members struct {
	scan    memberScanner
	pending bool // the scan stands on a value
	end     int  // behind that value, 0 when it is not known
}

// ScanMembers starts before the first member. A document that is not an object has none. Members aliases data.
func ScanMembers(data []byte) Members { return Members{scan: memberScanner{data: data}} }

// Next goes to the next member. It returns false at the end of the object, and where the document cannot be followed.
func (m *Members) Next() bool {
	if m.pending {
		switch {
		case m.end > 0:
			m.scan.pos = m.end
		case !m.scan.skip():
			m.scan.pos = len(m.scan.data)
		}
	}
	m.end = 0
	m.pending = m.scan.next()
	return m.pending
}

// Complete reports, after Next returned false, whether the object was closed and nothing follows it.
func (m *Members) Complete() bool {
	return m.scan.closed && skipSpace(m.scan.data, m.scan.pos) == len(m.scan.data)
}

// AppendName appends the member's name to dst, with its escapes resolved. It returns false, and dst as it was, when
// the name is not a JSON string.
func (m *Members) AppendName(dst []byte) ([]byte, bool) { return appendUnescaped(dst, m.scan.name) }

// Name is the member's name as it stands between its quotes, and whether it has escapes.
func (m *Members) Name() (raw []byte, escaped bool) {
	return m.scan.name, bytes.IndexByte(m.scan.name, '\\') >= 0
}

// NameIs reports whether the member is called name.
func (m *Members) NameIs(name string) bool { return nameIs(m.scan.name, name) }

// Scalar returns the token of the member's value when it is a string, a number or a boolean.
func (m *Members) Scalar() (raw []byte, ok bool) {
	end := scalarEnd(m.scan.data, m.scan.value, false)
	if end < 0 {
		return nil, false
	}
	m.end = end
	return m.scan.data[m.scan.value:end], true
}

// Member returns the value of the first member called name of the object at the root of data, when it is a string, a
// number or a boolean. It is [Path.First] for a name that is known only as it is used.
func Member(data []byte, name string) (raw []byte, ok bool) {
	at := findMember(data, 0, name)
	if at < 0 {
		return nil, false
	}
	end := scalarEnd(data, at, false)
	if end < 0 {
		return nil, false
	}
	return data[at:end], true
}
