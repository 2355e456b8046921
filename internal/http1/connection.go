package http1

// Options are the connection options of a message (RFC 9110, section 7.6.1).
type Options uint8

// The options with a meaning of their own. Named says that Connection names other fields; see [Head.Drops].
const (
	Close Options = 1 << iota
	KeepOpen
	UpgradeOption
	TEOption
	Named
)

// maxConnectionOptions is how many fields a Connection field may name besides the known options. One or two are usual.
const maxConnectionOptions = 8

// parseConnection reads every Connection field.
func (h *Head) parseConnection() Reason {
	if !h.Has(Connection) {
		return OK
	}
	for i := range h.Lines {
		if h.Lines[i].Kind != Connection {
			continue
		}
		for list := h.Fields[i].Value; list != ""; {
			option := list
			for j := range len(list) {
				if list[j] == ',' {
					option = list[:j]
					break
				}
			}
			if list = list[len(option):]; list != "" {
				list = list[1:]
			}
			if option = trim(option); option == "" {
				continue // empty elements of lists are to be ignored (RFC 9110, section 5.6.1.2)
			}
			if r := h.option(option); r != OK {
				return r
			}
		}
	}
	return OK
}

func (h *Head) option(name string) Reason {
	switch {
	case equalFold(name, "close"):
		h.Options |= Close
		return OK
	case equalFold(name, "keep-alive"):
		h.Options |= KeepOpen
		return OK
	}
	switch KindOf(name) {
	case Upgrade:
		h.Options |= UpgradeOption
		return OK
	case TE:
		h.Options |= TEOption
		return OK
	case ContentLength, TransferEncoding, Host, Expect, Trailer, ContentEncoding, ContentType, Date, MaxForwards, Via:
		return FramingNamedInConnection // whoever obeyed would change what the message means
	case Connection, KeepAlive, ProxyConnection, HTTP2Settings:
		return OK // never passed on
	case Other:
	}
	for i := range len(name) {
		if chars[name[i]]&tokenChar == 0 {
			return ConnectionOptions
		}
	}
	if h.named == len(h.connection) {
		return ConnectionOptions
	}
	h.connection[h.named] = name
	h.named++
	h.Options |= Named
	return OK
}

// Drops reports whether the Connection field names the field called name, so that it ends here.
func (h *Head) Drops(name string) bool {
	for i := range h.named {
		if foldEqual(h.connection[i], name) {
			return true
		}
	}
	return false
}

// foldEqual is for two names in any case.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x |= 0x20
		}
		if 'A' <= y && y <= 'Z' {
			y |= 0x20
		}
		if x != y {
			return false
		}
	}
	return true
}

// KeepsOpen reports whether the sender of the message keeps the connection (RFC 9112, section 9.3).
func (h *Head) KeepsOpen() bool {
	if h.Options&Close != 0 {
		return false
	}
	return h.Minor == 1 || h.Options&KeepOpen != 0
}
