package gateway

import "github.com/seshat-project/seshat/internal/http1"

// bodyMode is what becomes of a response's body on its way to the client.
type bodyMode uint8

const (
	asIs   bodyMode = iota // the same bytes
	encode                 // its end is the end of the connection: the client gets chunks, so that it can tell a cut one
	decode                 // chunks, and the client is of HTTP/1.0
)

// mode chooses what becomes of the body.
func (w *work) mode() bodyMode {
	switch {
	case w.resp.Framing == http1.UntilClose && w.req.Minor == 1:
		return encode
	case w.resp.Framing == http1.Chunked && w.req.Minor == 0:
		return decode
	default:
		return asIs
	}
}

// appendResponseHead appends the head that the client gets; raw is the origin's. Close says that the connection ends.
func (w *work) appendResponseHead(dst, raw []byte, c *conn, mode bodyMode, closes bool) []byte {
	r := &w.resp
	if r.Minor == 1 && r.LineEnd == len("HTTP/1.1 200 \r\n")+len(r.Phrase) {
		dst = append(dst, raw[:r.LineEnd]...)
	} else {
		dst = http1.AppendStatusLine(dst, r.Status, r.Phrase)
	}
	from := r.LineEnd
	for i := range r.Lines {
		line := &r.Lines[i]
		if w.responsePasses(i, mode) {
			continue
		}
		dst = append(dst, raw[from:line.Start]...)
		from = line.End
	}
	dst = append(dst, raw[from:r.Size-len("\r\n")]...)
	if mode == encode || mode == asIs && r.Framing == http1.Chunked && r.Value(http1.TransferEncoding) != "chunked" {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	const firstFinal = 200
	if r.Status >= firstFinal && !r.Has(http1.Date) {
		dst = c.appendDate(dst) // RFC 9110, section 6.6.1
	}
	if via := c.server.config.Via; via != "" {
		dst = append(append(dst, "Via: 1."...), byte('0'+r.Minor), ' ')
		dst = append(append(dst, via...), "\r\n"...)
	}
	if r.Status >= firstFinal || r.Status == statusSwitching {
		for _, f := range w.passage.ResponseFields() {
			dst = http1.AppendField(dst, f.Name, f.Value)
		}
	}
	upgrade := r.Has(http1.Upgrade) && offersUpgrade(r.Status)
	switch {
	case upgrade && closes && r.Status != statusSwitching:
		dst = append(dst, "Connection: close, Upgrade\r\n"...)
	case upgrade:
		dst = append(dst, "Connection: Upgrade\r\n"...)
	case closes && r.Status >= firstFinal:
		dst = append(dst, "Connection: close\r\n"...)
	}
	return append(dst, "\r\n"...)
}

const (
	statusContinue        = 100
	statusSwitching       = 101
	statusNoContent       = 204
	statusUpgradeRequired = 426
)

// offersUpgrade reports whether the Upgrade field of a response is the client's business. With other statuses it only
// advertises what this hop could speak.
func offersUpgrade(status int) bool {
	return status == statusSwitching || status == statusUpgradeRequired
}

// framed reports whether a response may say how long its content is (RFC 9110, section 8.6): 1xx and 204 have none.
func framed(status int) bool {
	const firstFinal = 200
	return status >= firstFinal && status != statusNoContent
}

// responsePasses reports whether line i goes to the client as it is.
func (w *work) responsePasses(i int, mode bodyMode) bool {
	r := &w.resp
	switch r.Lines[i].Kind {
	case http1.Connection, http1.KeepAlive, http1.ProxyConnection:
		return false
	case http1.Upgrade:
		return offersUpgrade(r.Status)
	case http1.ContentLength:
		return framed(r.Status)
	case http1.TransferEncoding:
		return mode == asIs && w.req.Minor == 1 && framed(r.Status) && r.Fields[i].Value == "chunked"
	case http1.Trailer:
		return mode != decode
	default:
		return r.Options&http1.Named == 0 || !r.Drops(r.Fields[i].Name)
	}
}
