package http1

// Kind is what a field is to somebody who passes a message on.
type Kind uint8

// The kinds. Other is every field that is passed on without being looked at.
const (
	Other Kind = iota
	Connection
	KeepAlive
	ProxyConnection
	TE
	Trailer
	TransferEncoding
	Upgrade
	HTTP2Settings
	ContentLength
	Host
	Expect
	MaxForwards
	Via
	Date
	ContentEncoding
	ContentType
)

// KindOf returns the kind of a field by its name, whatever its case.
func KindOf(name string) Kind {
	var kind Kind
	var want string
	switch len(name) {
	case 2:
		kind, want = TE, "te"
	case 3:
		kind, want = Via, "via"
	case 4:
		if name[0]|0x20 == 'h' {
			kind, want = Host, "host"
		} else {
			kind, want = Date, "date"
		}
	case 6:
		kind, want = Expect, "expect"
	case 7:
		if name[0]|0x20 == 'u' {
			kind, want = Upgrade, "upgrade"
		} else {
			kind, want = Trailer, "trailer"
		}
	case 10:
		if name[0]|0x20 == 'c' {
			kind, want = Connection, "connection"
		} else {
			kind, want = KeepAlive, "keep-alive"
		}
	case 12:
		if name[0]|0x20 == 'm' {
			kind, want = MaxForwards, "max-forwards"
		} else {
			kind, want = ContentType, "content-type"
		}
	case 14:
		if name[0]|0x20 == 'c' {
			kind, want = ContentLength, "content-length"
		} else {
			kind, want = HTTP2Settings, "http2-settings"
		}
	case 16:
		if name[0]|0x20 == 'p' {
			kind, want = ProxyConnection, "proxy-connection"
		} else {
			kind, want = ContentEncoding, "content-encoding"
		}
	case 17:
		kind, want = TransferEncoding, "transfer-encoding"
	default:
		return Other
	}
	if equalFold(name, want) {
		return kind
	}
	return Other
}
