package protect

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/httpfield"
)

// The bounds of what is kept of one exchange, in bytes unless they say otherwise. A client can send texts of any
// length; with these, an observation has some kilobytes at most, and real traffic stays far below each.
const (
	maxHost        = 255 // the longest name in the DNS, which is also enough for a service
	maxLabel       = 128 // environments, and names of rules, parameters, flows
	maxMethod      = 32
	maxScheme      = 16
	maxVersion     = 8
	maxPath        = 1024
	maxUserAgent   = 512
	maxJA4         = 64
	maxOrigin      = 300 // a scheme, a host and a port
	maxTraceID     = 64
	maxKey         = 256
	maxClearID     = 512 // of an identifier that says "obfuscate: false"
	maxFallback    = 64  // of address and user agent as an ID: the address, and what kind of client it is
	maxClaim       = 256 // issuer and subject
	maxValue       = 1024
	maxIDs         = 64 // identifiers; more than any rule set finds
	maxParameters  = 64
	maxFlows       = 16
	shortestSecret = 8 // a shorter ID is looked for as a whole text, not within others, where it may be by chance
)

// The labels of [Hasher.HashLabelled] for what an observation keeps.
const (
	labelSessionClaim = "sid"
	labelParameter    = "parameter"
	labelDevice       = "device"
	labelPathSegment  = "path"
)

// Observer turns exchanges into observations. It keeps memory from call to call, and is not safe for concurrent use.
type Observer struct {
	hasher *Hasher
	names  interner
	arena  arena
	// secrets are the values of the current exchange that must not be kept, with their digests.
	secrets []secret
	// pathSecret says that a client session ID was made from a path segment.
	pathSecret bool
	// digests are those of the client session IDs, in their order; nil when they are still to be made.
	digests   []seshat.Digest
	scratch   httpfield.Scratch
	templated []byte // in work
}

type secret struct {
	value  string
	digest seshat.Digest
}

// Hidden tells what mask rules hide of an exchange.
type Hidden interface {
	// Hides reports whether the field called name at l on side must not be seen.
	Hides(side seshat.Side, l seshat.Location, name string) bool
}

// NewObserver returns an observer whose digests are made by d.
func NewObserver(d *Digester) *Observer { return &Observer{hasher: d.Hasher()} }

// Observe returns what may be kept of x, in which id was found. Nothing of what hidden hides is read; nil hides
// nothing. The observation owns all its memory and holds no raw
// client session ID, unless its identifier says so, no query, no header and no body. Texts are bounded, valid UTF-8,
// and free of control characters. Its Key is left to the caller.
//
//   - Of the path, segments that hold a client session ID or look like a token are replaced by "~" and 12 hexadecimal
//     digits of a keyed digest, so that equal ones stay equal, and values of path parameters by "*".
//   - Address and user agent, which IDs of the fallback consist of, are no secrets: these are shown, if shortened.
//   - A plain parameter whose value holds a client session ID of the exchange is masked there; users and roles are
//     kept as they are, because that is what they are for.
func (o *Observer) Observe(x *seshat.Exchange, id *seshat.Identity, hidden Hidden) *seshat.Observation {
	obs := &seshat.Observation{}
	o.observe(obs, x, id, hidden)
	o.arena.finish(false)
	o.arena.reset()
	return obs
}

// ObserveInto is [Observer.Observe] for an observation that is written down at once and then used again: its lists take
// the memory that obs has, and its texts are lent. They are good until the next call of either method.
//
// Digests are what [Digests] made of id, or nil. Plain says that the endpoint is the template of the path as it was sent.
func (o *Observer) ObserveInto(
	obs *seshat.Observation, x *seshat.Exchange, id *seshat.Identity, digests []seshat.Digest, hidden Hidden,
) (plain bool) {
	if len(digests) == len(id.IDs) {
		o.digests = digests
	}
	plain = o.observe(obs, x, id, hidden)
	o.digests = nil
	o.arena.finish(true)
	o.arena.places = o.arena.places[:0]
	return plain
}

func (o *Observer) observe(obs *seshat.Observation, x *seshat.Exchange, id *seshat.Identity, hidden Hidden) (plain bool) {
	o.arena.reset()
	o.scratch.Reset()
	defer o.forget()
	*obs = seshat.Observation{
		IDs: obs.IDs[:0], Parameters: obs.Parameters[:0], Flows: obs.Flows[:0],

		Time:          x.Time,
		Duration:      x.Duration,
		Environment:   o.names.intern(x.Environment, maxLabel),
		Service:       o.names.intern(x.Service, maxHost),
		Method:        o.names.intern(x.Request.Method, maxMethod),
		Scheme:        o.names.intern(x.Request.Scheme, maxScheme),
		Host:          o.names.intern(x.Request.Host, maxHost),
		HTTPVersion:   o.names.intern(x.Request.HTTPVersion, maxVersion),
		Status:        x.Response.Status,
		RequestBytes:  max(x.Request.Body.Size, int64(len(x.Request.Body.Bytes))),
		ResponseBytes: max(x.Response.Body.Size, int64(len(x.Response.Body.Bytes))),
		ClientIP:      x.Client.IP,
		JA4:           o.names.intern(x.Client.JA4, maxJA4),
	}
	if obs.Service == "" {
		obs.Service = obs.Host
	}
	o.arena.keep(&obs.ID, x.ID, seshat.MaxExchangeID)
	o.arena.keep(&obs.TraceID, x.TraceID, maxTraceID)
	o.ids(obs, id)
	o.header(obs, x.Request.Header, hidden)
	plain = o.path(obs, x.Request.Path)
	o.parameters(obs, id.Parameters)
	if n := min(len(id.Flows), maxFlows); n > 0 {
		obs.Flows = sized(obs.Flows, n)
		for i, flow := range id.Flows[:n] {
			obs.Flows[i] = seshat.FlowMatch{
				Name: o.names.intern(flow.Name, maxLabel),
				Type: seshat.FlowType(o.names.intern(string(flow.Type), maxLabel)),
			}
		}
	}
	return plain
}

// sized is a list of n elements, in the memory of list if it has room.
func sized[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n)
	}
	return list[:n]
}

// forget drops what belongs to the exchange, so that nothing of it stays reachable.
func (o *Observer) forget() {
	clear(o.secrets)
	o.secrets, o.pathSecret = o.secrets[:0], false
}

// ids keeps the client session IDs, the one that groups always among them.
func (o *Observer) ids(obs *seshat.Observation, id *seshat.Identity) {
	n := min(len(id.IDs), maxIDs)
	if n == 0 {
		return
	}
	obs.Grouping = id.Grouping
	obs.IDs = sized(obs.IDs, n)
	for i := n; i < len(id.IDs); i++ { // what is not kept is a secret all the same
		if from := &id.IDs[i]; !from.Clear && from.Value != "" && from.Origin != seshat.OriginFallback {
			o.secrets = append(o.secrets, secret{string(from.Value), o.digest(i, string(from.Value))})
			o.pathSecret = o.pathSecret || from.Where == seshat.LocationPathSegment
		}
	}
	for i := range n {
		from := i
		if i == n-1 && id.Grouping >= n {
			from, obs.Grouping = id.Grouping, i
		}
		o.observeID(&obs.IDs[i], &id.IDs[from], from)
	}
}

// digest is the digest of the client session ID at i.
func (o *Observer) digest(i int, value string) seshat.Digest {
	if o.digests != nil {
		return o.digests[i]
	}
	return o.hasher.HashString(value)
}

// observeID keeps the client session ID at i.
func (o *Observer) observeID(to *seshat.ObservedID, from *seshat.FoundID, i int) {
	value := string(from.Value)
	*to = seshat.ObservedID{
		Rule: from.Rule, Index: from.Index, Origin: from.Origin, Kind: from.Kind, Side: from.Side, Where: from.Where,
		Name: o.names.intern(from.Name, maxLabel), Key: o.names.intern(from.Key, maxKey),
		Deleted: from.Deleted, ExpiresAt: from.ExpiresAt, Lifetime: from.Lifetime,
	}
	if value != "" {
		to.Digest = o.digest(i, value)
	}
	switch {
	case from.Clear:
		o.arena.keep(&to.Masked, value, maxClearID)
	case from.Origin == seshat.OriginFallback:
		// The fallback is the last to be tried, so that the secrets that a user agent may hold are known.
		o.arena.shorten(&to.Masked, o.scrub(value), maxFallback)
	default:
		o.arena.mask(&to.Masked, value)
		if value != "" {
			o.secrets = append(o.secrets, secret{value, to.Digest})
			o.pathSecret = o.pathSecret || from.Where == seshat.LocationPathSegment
		}
	}
	if from.Token == (seshat.TokenClaims{}) {
		return
	}
	to.Token = seshat.ObservedClaims{
		IsToken: true, Issuer: o.names.intern(from.Token.Issuer, maxClaim),
		IssuedAt: from.Token.IssuedAt, ExpiresAt: from.Token.ExpiresAt,
	}
	o.arena.keep(&to.Token.Subject, from.Token.Subject, maxClaim)
	if from.Token.SessionID != "" {
		to.Token.SessionID = o.hasher.HashLabelled(labelSessionClaim, from.Token.Issuer, from.Token.SessionID)
	}
}

// header keeps what request header fields say of the client.
func (o *Observer) header(obs *seshat.Observation, header []seshat.Field, hidden Hidden) {
	var agent, origin, referer, language, brands, platform, mobile string
	first := func(to *string, field *seshat.Field, name string) {
		if *to == "" && httpfield.EqualFold(field.Name, name) &&
			(hidden == nil || !hidden.Hides(seshat.InRequest, seshat.LocationHeader, name)) {
			*to = field.Value
		}
	}
	for i := range header {
		switch field := &header[i]; len(field.Name) {
		case len("Origin"):
			first(&origin, field, "Origin")
		case len("Referer"):
			first(&referer, field, "Referer")
		case len("Sec-CH-UA"):
			first(&brands, field, "Sec-CH-UA")
		case len("User-Agent"):
			first(&agent, field, "User-Agent")
		case len("Accept-Language"):
			first(&language, field, "Accept-Language")
		case len("Sec-CH-UA-Mobile"):
			first(&mobile, field, "Sec-CH-UA-Mobile")
		case len("Sec-CH-UA-Platform"):
			first(&platform, field, "Sec-CH-UA-Platform")
		}
	}
	obs.UserAgent = o.names.intern(o.scrub(agent), maxUserAgent)
	if obs.Origin = o.names.intern(o.scrub(originOf(origin)), maxOrigin); obs.Origin == "" {
		obs.Origin = o.names.intern(o.scrub(originOf(referer)), maxOrigin)
	}
	if language != "" || brands != "" || platform != "" || mobile != "" {
		obs.Device = o.hasher.HashLabelled(labelDevice, language, brands, platform, mobile)
	}
}

// parameters keeps the context parameters, or their digests.
func (o *Observer) parameters(obs *seshat.Observation, found []seshat.FoundParameter) {
	n := min(len(found), maxParameters)
	if n == 0 {
		return
	}
	obs.Parameters = sized(obs.Parameters, n)
	for i := range n {
		from, to := &found[i], &obs.Parameters[i]
		*to = seshat.Parameter{Name: o.names.intern(from.Name, maxLabel), Type: from.Type, Side: from.Side, Weak: from.Weak}
		switch {
		case from.Hash:
			o.arena.digest(&to.Value, o.hasher.HashLabelled(labelParameter, from.Value))
		case from.Type == seshat.ParameterPlain:
			o.arena.keep(&to.Value, o.scrub(from.Value), maxValue)
		default:
			o.arena.keep(&to.Value, from.Value, maxValue)
		}
	}
}

// scrub returns text with the secrets of the exchange masked, wherever they are in it.
func (o *Observer) scrub(text string) string {
	for i := range o.secrets {
		value := o.secrets[i].value
		if text == value || len(value) >= shortestSecret && strings.Contains(text, value) {
			text = strings.ReplaceAll(text, value, Mask(value))
		}
	}
	return text
}

// originOf returns "scheme://host:port" of a URL, in lower case, without user information. It is empty for anything
// else, such as the opaque origin "null".
func originOf(url string) string {
	colon := strings.Index(url, "://")
	if colon <= 0 || colon > maxScheme {
		return ""
	}
	end := len(url)
	if i := strings.IndexAny(url[colon+3:], "/?#\\"); i >= 0 {
		end = colon + 3 + i
	}
	scheme, authority := url[:colon], url[colon+3:end]
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
		url = scheme + "://" + authority
		end = len(url)
	}
	if authority == "" || len(authority) > maxHost {
		return ""
	}
	return strings.ToLower(url[:end])
}

// path keeps the path and its template, without secrets. It reports whether that is the template of path.
func (o *Observer) path(obs *seshat.Observation, path string) (plain bool) {
	holds := o.pathSecret || o.holdsSecret(path)
	if !holds && !hasLongSegment(path) && strings.IndexByte(path, ';') < 0 {
		o.arena.keep(&obs.Path, path, maxPath)
		obs.Endpoint = o.template(path)
		return true
	}
	masked, found := o.maskPath(path, holds, isToken)
	if o.pathSecret && !found {
		// A transformation made the ID from a segment, which need not look like it: every value may be the secret.
		masked, _ = o.maskPath(path, holds, endpoint.IsValue)
	}
	o.arena.keep(&obs.Path, masked, maxPath)
	if holds {
		path = masked // the template may keep a segment that is a secret but looks like a word
	}
	obs.Endpoint = o.template(path)
	return !holds
}

func (o *Observer) template(path string) string {
	o.templated = endpoint.AppendTemplate(o.templated[:0], path)
	return o.names.internBytes(o.templated, maxPath)
}
