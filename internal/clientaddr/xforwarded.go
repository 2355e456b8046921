package clientaddr

import "github.com/seshat-project/seshat"

const (
	nameXForwardedFor   = "X-Forwarded-For"
	nameXForwardedProto = "X-Forwarded-Proto"
	nameXForwardedHost  = "X-Forwarded-Host"
	nameXRealIP         = "X-Real-IP"
	nameForwarded       = "Forwarded"
)

// noPosition says that it is not known which element of the other fields belongs to the client's.
const noPosition = -1

// byXForwardedFor walks along X-Forwarded-For and returns how many elements it went back.
func (r *Resolver) byXForwardedFor(header []seshat.Field, c *Client) (position int) {
	list := newBackwards(header, nameXForwardedFor, false)
	for position = 0; ; position++ {
		element, ok := list.next()
		if !ok {
			return position
		}
		a, kind := parseNode(element, true)
		if kind != nodeAddress {
			// A trusted proxy wrote something that names nobody. Who it spoke for is not known; what stands before it is
			// not the proxy's word.
			return position
		}
		if !r.step(c, a) {
			return position + 1
		}
	}
}

// byRealIP takes the address of X-Real-IP. A proxy that keeps this field replaces it, so it is there once.
func (r *Resolver) byRealIP(header []seshat.Field, c *Client) {
	list := newBackwards(header, nameXRealIP, false)
	element, ok := list.next()
	if !ok {
		return
	}
	if _, more := list.next(); more {
		return
	}
	if a, kind := parseNode(element, true); kind == nodeAddress {
		r.step(c, a)
	}
}

// byXForwardedProtoHost takes scheme and host from X-Forwarded-Proto and X-Forwarded-Host: where these are lists that go
// along with X-Forwarded-For, the elements of the outermost trusted proxy, otherwise those of the nearest.
func (r *Resolver) byXForwardedProtoHost(header []seshat.Field, c *Client, position int) {
	if text, ok := elementAt(header, nameXForwardedProto, position); ok {
		if s := schemeOf(text); s != "" {
			c.Scheme = s
		}
	}
	if text, ok := elementAt(header, nameXForwardedHost, position); ok && hostOK(text) {
		c.Host = text
	}
}

// elementAt returns the element of a list that was written together with the element of X-Forwarded-For that is position
// elements from the end (1 is the last), if the lists have the same length; otherwise the last element.
func elementAt(header []seshat.Field, name string, position int) (string, bool) {
	list := newBackwards(header, name, false)
	last, ok := list.next()
	if !ok || position <= 1 || count(header, name) != count(header, nameXForwardedFor) {
		return last, ok
	}
	for ; position > 1; position-- {
		last, ok = list.next()
	}
	return last, ok
}
