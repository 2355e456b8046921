package identify

import (
	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// Worker identifies one exchange after the other, in memory that it reuses. It is not safe for concurrent use; a
// pipeline has one for each goroutine. Once it has seen the shapes of the traffic it allocates for tokens that come again
// alone, once each.
type Worker struct {
	engine *Engine
	x      *seshat.Exchange
	trace  *tracer // nil unless the exchange is being explained

	text      httpfield.Scratch
	arena     arena
	views     [viewCount]view
	documents [2]document // by side
	members   [2][]member // by side: of each field of the view of members, where it is
	single    []seshat.Field

	setCookies   []httpfield.SetCookie // of each field of the view of Set-Cookies
	dropped      []bool                // of each Set-Cookie, whether another one of its name counts
	hasSetCookie bool
	cookie       int // index of the first Cookie in the view of request headers; negative when there is none
	agent        int // index of User-Agent in the view of request headers; negative when there is none

	masks []*rule.Mask // in scope
	found []int
	bits  rule.Bits
	url   string
	// template is the path's, once a flow asked for it.
	template string
	tokens   []jwt
	cache    tokenCache
	names    nameCache
	login    bool // a built-in or declared authentication flow matched

	first      []firstField // by slot
	stamp      uint32
	candidates rule.Bits // identifiers of the built-in set whose name was seen
}

// member is where a member of a JSON body is.
type member struct {
	path   string
	object int // where the object that it is of begins in the document
}

// document is a JSON body.
type document struct {
	data []byte
	made bool
}

// firstField is where the first field of a name is in its view. It is valid if it has the worker's current stamp.
type firstField struct {
	stamp uint32
	index int32
}

// NewWorker makes a worker of e.
func (e *Engine) NewWorker() *Worker {
	return &Worker{
		engine:     e,
		first:      make([]firstField, e.slots),
		candidates: make(rule.Bits, (len(e.builtIn)+63)/64),
		tokens:     make([]jwt, 0, maxTokenMemo),
		cache:      newTokenCache(),
	}
}

// Engine returns the engine that w works for.
func (w *Worker) Engine() *Engine { return w.engine }

// Identify finds everything that the ruleset, the built-in set and the fallback find in x. What was in out before is
// gone. The values in out alias x and the worker's memory: they are valid until the next call, and as long as x is.
func (w *Worker) Identify(x *seshat.Exchange, out *seshat.Identity) {
	out.Reset()
	w.begin(x)
	w.identify(out)
	w.x = nil
}

func (w *Worker) identify(out *seshat.Identity) {
	w.ownRules(out)
	w.builtInSet(out)
	w.fallback(out)
	out.Grouping = grouping(out.IDs)
	w.findFlows(out)
	w.findParameters(out)
}

// begin makes the views that every exchange needs, and notes the names that were seen.
func (w *Worker) begin(x *seshat.Exchange) {
	w.x = x
	w.text.Reset()
	w.arena.reset()
	w.tokens = w.tokens[:0]
	w.documents = [2]document{}
	for v := viewPathParameter; v < viewCount; v++ {
		w.views[v].made = false
	}
	w.stamp++
	if w.stamp == 0 { // wrapped: no old stamp may look new
		clear(w.first)
		w.stamp = 1
	}
	clear(w.candidates)
	w.hasSetCookie, w.login, w.cookie, w.agent = false, false, -1, -1
	w.url, w.template = "", ""
	if e := w.engine; e.ruleScopes.NeedsURL() || e.flowScopes.NeedsURL() || e.parameterScopes.NeedsURL() || e.maskScopes.NeedsURL() || w.trace != nil {
		const schemeAndSlashes = 16
		n := schemeAndSlashes + len(x.Request.Host) + len(x.Service) + len(x.Request.Path)
		w.url = w.arena.keep(rule.AppendURL(w.arena.take(n), x))
	}
	w.findMasks()
	w.makeHeaders()
	w.noteNames(viewRequestHeader)
	w.noteNames(viewResponseHeader)
	w.makeCookies()
	w.noteNames(viewRequestCookie)
	w.makeSetCookies()
	w.noteNames(viewResponseCookie)
	w.makeQuery()
	w.noteNames(viewQuery)
}

func (w *Worker) findMasks() {
	w.masks = w.masks[:0]
	if len(w.engine.rules.Masks()) == 0 {
		return
	}
	for _, i := range w.scoped(w.engine.maskScopes) {
		w.masks = append(w.masks, w.engine.rules.Masks()[i])
	}
}

// Hides reports whether a mask rule hides the field called name at l on side of the exchange that was identified last.
// It is for whoever reads that exchange after identification.
func (w *Worker) Hides(side seshat.Side, l seshat.Location, name string) bool {
	return w.hidden(side, l, name)
}

// scoped returns the positions of what is in scope. They are valid until the next call.
func (w *Worker) scoped(x *rule.ScopeIndex) []int {
	w.found, w.bits = x.Find(w.x.Environment, w.x.Service, w.url, w.found[:0], w.bits)
	return w.found
}

// noteNames looks every name of a view up once: where the first field of each name that a rule asks for is, and which
// identifiers of the built-in set have something to find.
func (w *Worker) noteNames(id viewID) {
	t := &w.engine.tables[id]
	fields := w.views[id].fields
	for i := range fields {
		name := fields[i].Name
		switch {
		case id == viewRequestHeader && len(name) == len("Cookie"):
			if w.cookie < 0 && rule.EqualFoldASCII(name, "Cookie") {
				w.cookie = i
			}
		case id == viewRequestHeader && len(name) == len("User-Agent"):
			if w.agent < 0 && rule.EqualFoldASCII(name, "User-Agent") {
				w.agent = i
			}
		case id == viewResponseHeader && len(name) == len("Set-Cookie"):
			w.hasSetCookie = w.hasSetCookie || rule.EqualFoldASCII(name, "Set-Cookie")
		}
		entry := w.entry(t, id, name)
		if entry == nil {
			continue
		}
		if entry.slot != noSlot && w.first[entry.slot].stamp != w.stamp {
			w.first[entry.slot] = firstField{stamp: w.stamp, index: int32(i)} //nolint:gosec // at most maxFields
		}
		for _, b := range entry.builtIn {
			w.candidates.Set(b)
		}
	}
}

// entry returns what is known of name in a view, or nil.
func (w *Worker) entry(t *nameTable, id viewID, name string) *nameEntry {
	if entry := t.find(name); entry != nil || len(t.patterns) == 0 {
		return entry
	}
	return w.names.lookup(t, id, name)
}

func (w *Worker) ownRules(out *seshat.Identity) {
	if len(w.engine.own) == 0 {
		return
	}
	if w.trace != nil {
		w.explainRules(out)
		return
	}
	for _, i := range w.scoped(w.engine.ruleScopes) {
		list := w.engine.own[i]
		for j := range list {
			w.evaluate(&list[j], out)
		}
	}
}

// grouping returns the index of the ID that says which session the exchange belongs to: the first that was found in
// the request, else the first that the response gave, else the fallback. What was deleted does not count. The fallback
// is the end of ids, and never empty.
func grouping(ids []seshat.FoundID) int {
	response := -1
	for i := range ids {
		switch id := &ids[i]; {
		case id.Deleted:
		case id.Origin == seshat.OriginFallback:
			if response >= 0 {
				return response
			}
			return i
		case id.Side == seshat.InRequest:
			return i
		case response < 0:
			response = i
		}
	}
	return max(response, 0)
}
