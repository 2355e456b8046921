package identify

import (
	"math/bits"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

// entry is one identifier of the built-in set. The set is data: builtin_cookies.go, builtin_headers.go and
// builtin_parameters.go hold nothing else. Entries are tried, and decide the grouping, in the order of [builtInEntries].
type entry struct {
	// name is what the identifier is called wherever its IDs are shown, such as "cookie:connect.sid".
	name string
	// in is the side or sides to look at. On both, the request comes first, under one index.
	in sides
	at seshat.Location
	// key is the name to look for. A name that one entry takes with equals is not offered to the patterns of others;
	// of several patterns the first takes it; names of noise (builtin_noise.go) are taken by no pattern. A body entry
	// looks at form and multipart fields, and at members of JSON objects down to maxMemberDepth.
	key seshat.Match
	// scheme removes the scheme of Authorization: the one named, any for "*", only credentials without one for "-".
	scheme string
	// least is how long a value must be for a name that may also mean something else. Then it has no spaces either.
	least int
	token bool          // the value must be a JWT
	value *seshat.Match // nil for any; placeholders such as "deleted" never count
	then  []seshat.Transformation
	when  []seshat.Condition // all must hold
	kind  seshat.IDKind
	// handles makes the entry take every value that looks like a handle, not the first; see handles.go.
	handles bool
}

// sides says where an entry looks.
type sides uint8

const (
	request sides = iota
	response
	both
)

// builtInEntries is the built-in set in its order: session handles before bearer tokens, these before credentials of
// services, and what only links others (refresh tokens, codes, claims) last.
func builtInEntries() []entry {
	var all []entry
	all = append(all, sessionCookies()...)
	all = append(all, sessionHeaders()...)
	all = append(all, bearerHeaders()...)
	all = append(all, accessCookies()...)
	all = append(all, sessionParameters()...)
	all = append(all, tokenParameters()...)
	all = append(all, serviceCredentials()...)
	all = append(all, linkingParameters()...)
	all = append(all, transactionCookies()...)
	all = append(all, sharedClaims()...)
	all = append(all, handles())
	return all
}

// addBuiltIn compiles the built-in set into e.
func (e *Engine) addBuiltIn() {
	for i, entry := range builtInEntries() {
		id := e.plan(entry.compile(i))
		e.builtIn = append(e.builtIn, id)
		for p := range id.Probes {
			for _, v := range viewsOfEntry(&id.Probes[p]) {
				if name, ok := id.Probes[p].Key.Exact(); ok {
					known := e.tables[v].add(name)
					known.builtIn = append(known.builtIn, i)
					continue
				}
				e.tables[v].patterns = append(e.tables[v].patterns, namePattern{key: id.Probes[p].Key, builtIn: i})
			}
		}
	}
	e.context, e.flows = builtInParameters(), builtInFlows()
	for i := range e.context {
		e.know(&e.context[i].Selector)
	}
	for _, name := range flowFields {
		e.tables[viewRequestForm].add(name)
		e.tables[viewRequestMembers].add(name)
	}
}

// know makes the names that s looks for known to the scan of JSON members.
func (e *Engine) know(s *rule.Selector) {
	if name, ok := s.Key.Exact(); ok && s.Members {
		for _, v := range viewsOfEntry(s) {
			e.tables[v].add(name)
		}
	}
}

func viewsOfEntry(s *rule.Selector) []viewID {
	switch {
	case !s.Members:
		return []viewID{viewOf(s)}
	case s.Side == seshat.InResponse:
		return []viewID{viewResponseForm, viewResponseMembers}
	default:
		return []viewID{viewRequestForm, viewRequestMembers}
	}
}

// compile makes an identifier of the entry by way of the same compiler that rules go through. A fault in the table
// leaves the entry without probes, so that it finds nothing; a test makes sure that there is none.
func (t *entry) compile(index int) identifier {
	compiled, faults := rule.CompileIdentifier(index, t.spec())
	if len(faults) > 0 {
		compiled.Probes = nil
	}
	if t.scheme != "" {
		wanted := t.scheme
		if wanted == "*" {
			wanted = ""
		}
		strip := rule.Transformation{Kind: rule.TransformScheme, Text: wanted}
		compiled.Transformations = append([]rule.Transformation{strip}, compiled.Transformations...)
	}
	for p := range compiled.Probes {
		compiled.Probes[p].Members = t.at == seshat.LocationBody
	}
	if t.in == both && len(compiled.Probes) == 1 {
		answer := compiled.Probes[0]
		answer.Side = seshat.InResponse
		compiled.Probes = append(compiled.Probes, answer)
	}
	id := identifier{Identifier: &compiled, name: t.name, origin: seshat.OriginBuiltIn, least: t.least, token: t.token, handles: t.handles}
	return id
}

func (t *entry) spec() *seshat.Identifier {
	in := "request"
	if t.in == response {
		in = "response"
	}
	return &seshat.Identifier{
		In:              in,
		Conditions:      t.when,
		Extract:         &seshat.Extract{Location: rule.LocationName(t.at), Key: &t.key, Value: t.value},
		Transformations: t.then,
		Type:            t.kind.String(),
	}
}

// builtInSet evaluates the identifiers of the built-in set whose names were seen.
func (w *Worker) builtInSet(out *seshat.Identity) {
	if len(w.engine.builtIn) == 0 {
		return
	}
	w.noteBodies()
	for i, word := range w.candidates {
		for ; word != 0; word &= word - 1 {
			id := &w.engine.builtIn[i<<6+bits.TrailingZeros64(word)]
			if w.trace != nil {
				w.trace.builtIn(id)
			}
			w.evaluate(id, out)
		}
	}
}

// noteBodies makes the views that only the built-in set looks into, where there is something to see.
func (w *Worker) noteBodies() {
	if strings.IndexByte(w.x.Request.Path, ';') >= 0 {
		w.fields(&rule.Selector{Location: seshat.LocationPathParameter})
		w.noteNames(viewPathParameter)
	}
	if len(w.x.Request.Body.Bytes) > 0 {
		w.noteBody(seshat.InRequest, viewRequestForm, viewRequestMembers)
	}
	if len(w.x.Response.Body.Bytes) > 0 && w.mayIssue() {
		w.noteBody(seshat.InResponse, viewResponseForm, viewResponseMembers)
	}
}

func (w *Worker) noteBody(side seshat.Side, form, members viewID) {
	if httpfield.IsJSON(w.contentType(side)) {
		w.memberFields(side)
		w.noteNames(members)
		return
	}
	if !w.views[form].made {
		w.makeForm(side)
	}
	w.noteNames(form)
}

// mayIssue reports whether the response may be one that issues tokens: it answers a request that changes something,
// or whose path says so. Other bodies are data, and reading them would cost time and find nothing.
func (w *Worker) mayIssue() bool {
	return changes(w.x.Request.Method) || hasIssuingWord(w.x.Request.Path)
}

// hasIssuingWord reports whether a segment of path is one of the issuing words.
func hasIssuingWord(path string) bool {
	for rest := path; rest != ""; {
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if issuingWord(segment) {
			return true
		}
	}
	return false
}

func issuingWord(s string) bool {
	for _, word := range issuingWords {
		if rule.EqualFoldASCII(s, word) {
			return true
		}
	}
	return false
}
