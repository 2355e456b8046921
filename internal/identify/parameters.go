package identify

import (
	"cmp"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/httpfield"
	"github.com/seshat-project/seshat/internal/rule"
)

const (
	// maxParameters is how many parameters of one exchange are kept.
	maxParameters = 64
	// maxParameterLength is how long the value of a parameter may be to be kept; longer ones are cut.
	maxParameterLength = 4 << 10
	// maxUserLength is how long a user or role may be. What is longer is no name, and is not kept at all.
	maxUserLength = 256
)

// parameter is a parameter of the built-in set.
type parameter struct {
	*rule.Parameter
	weak bool // stated by the client in a sign-in; only looked at in one
	slot int  // of its name, or noSlot
}

// userFields are the fields of a sign-in that name the user.
var userFields = [...]string{"username", "email", "login", "user", "identity", "user_name", "userName", "identifier"}

func isUserField(name string) bool {
	for _, f := range userFields {
		if f == name {
			return true
		}
	}
	return false
}

// builtInParameters are the built-in parameters with a place of their own. Those of tokens and of Basic credentials
// come with the IDs that were found.
func builtInParameters() []parameter {
	var out []parameter
	add := func(name string, extract seshat.Extract, weak bool) {
		spec := seshat.ContextParameterSpec{Extract: extract, Type: "user"}
		compiled, faults := rule.CompileParameter(name, &spec)
		if len(faults) > 0 {
			return
		}
		compiled.Selector.Members = extract.Location == "body"
		out = append(out, parameter{Parameter: compiled, weak: weak, slot: noSlot})
	}
	email := equals("Cf-Access-Authenticated-User-Email")
	add("header:cf-access-authenticated-user-email", seshat.Extract{Location: "header", Key: &email}, false)
	for _, name := range userFields {
		key := equals(name)
		add("sign-in", seshat.Extract{Location: "body", Key: &key}, true)
	}
	nested := matches(`^[a-z_]+\[(` + strings.Join(userFields[:], "|") + `)\]$`) // as in user[login], of forms of Rails and PHP
	add("sign-in", seshat.Extract{Location: "body", Key: &nested}, true)
	return out
}

// lastName is the name within the last brackets of a form field such as user[login], or the whole name.
func lastName(name string) string {
	if inner, ok := strings.CutSuffix(name, "]"); ok {
		if i := strings.LastIndexByte(inner, '['); i >= 0 {
			return inner[i+1:]
		}
	}
	return name
}

// findParameters adds the declared parameters by name, then the built-in ones.
func (w *Worker) findParameters(out *seshat.Identity) {
	trace := w.trace
	w.trace = nil // the story of an identifier is not that of a parameter
	if len(w.engine.parameters) > 0 {
		for _, i := range w.scoped(w.engine.parameterScopes) {
			w.parameter(&w.engine.parameters[i], out)
		}
	}
	if w.engine.rules.BuiltIn() {
		w.builtInContext(out)
	}
	w.trace = trace
}

// parameter adds the first value that p finds, or, for roles, each of them.
func (w *Worker) parameter(p *parameter, out *seshat.Identity) {
	if p.slot != noSlot && w.first[p.slot].stamp != w.stamp || !w.hold(p.Conditions) {
		return
	}
	s := &p.Selector
	if p.Type == seshat.ParameterRole {
		w.declaredRoles(p, out)
		return
	}
	fields := w.fields(s)
	for i := range fields {
		if !s.Key.Match(fields[i].Name) || !s.Value.Match(fields[i].Value) {
			continue
		}
		if result, ok := w.transform(p.Transformations, fields[i].Value); ok {
			w.add(out, p, result.value)
			return
		}
	}
}

func (w *Worker) add(out *seshat.Identity, p *parameter, value string) {
	addParameter(out, seshat.FoundParameter{
		Name: p.Name, Type: p.Type, Side: p.Selector.Side, Value: value, Hash: p.Hash, Weak: p.weak,
	})
}

// addParameter adds p unless the same was found already.
func addParameter(out *seshat.Identity, p seshat.FoundParameter) {
	if p.Value == "" || len(out.Parameters) == maxParameters {
		return
	}
	if p.Type != seshat.ParameterPlain && len(p.Value) > maxUserLength {
		return
	}
	p.Value = p.Value[:min(len(p.Value), maxParameterLength)]
	for i := range out.Parameters {
		if q := &out.Parameters[i]; q.Name == p.Name && q.Value == p.Value && q.Type == p.Type {
			return
		}
	}
	out.Parameters = append(out.Parameters, p)
}

// builtInContext adds what the IDs that were found say about the user, and the built-in parameters.
func (w *Worker) builtInContext(out *seshat.Identity) {
	for i := range out.IDs {
		id := &out.IDs[i]
		if id.Deleted || id.Origin == seshat.OriginFallback || id.Kind == seshat.KindClaim {
			continue
		}
		if t := w.readToken(string(id.Value)); t != nil {
			w.tokenContext(out, t, id.Side)
		}
		if id.Origin == seshat.OriginBuiltIn && id.Name == "basic" {
			if user, ok := httpfield.BasicUser(string(id.Value), &w.text); ok {
				addParameter(out, seshat.FoundParameter{Name: "basic", Type: seshat.ParameterUser, Side: id.Side, Value: user})
			}
		}
	}
	for i := range w.engine.context {
		if p := &w.engine.context[i]; !p.weak || w.login && len(w.x.Request.Body.Bytes) > 0 {
			w.parameter(p, out)
		}
	}
}

// tokenContext adds the user and the roles that a token names. The names that people know come before the subject:
// the first user is the one that is shown.
func (w *Worker) tokenContext(out *seshat.Identity, t *jwt, side seshat.Side) {
	var username, email, account string
	c := memberCursor{data: t.payload}
	for name, value, ok := c.next(); ok; name, value, ok = c.next() {
		if c.depth > 1 {
			if c.depth == 2 && string(name) == "roles" && string(c.names[0]) == "realm_access" { // Keycloak
				w.tokenRoles(out, value, side)
			}
			continue
		}
		switch string(name) {
		case "preferred_username":
			username = w.scalar(value)
		case "email":
			email = w.scalar(value)
		case "user_id", "uid", "userId", "id": // where issuers that know no "sub" name the user, such as PocketBase
			account = cmp.Or(account, w.scalar(value))
		case "roles", "role", "groups":
			w.tokenRoles(out, value, side)
		}
	}
	user := func(name, value string) {
		addParameter(out, seshat.FoundParameter{Name: name, Type: seshat.ParameterUser, Side: side, Value: value})
	}
	user("jwt:preferred_username", username)
	user("jwt:email", email)
	user("jwt:sub", t.claims.Subject)
	if t.claims.Subject == "" {
		user("jwt:id", account)
	}
}

// tokenRoles adds a role, or each role of an array.
func (w *Worker) tokenRoles(out *seshat.Identity, raw []byte, side seshat.Side) {
	role := func(raw []byte) {
		addParameter(out, seshat.FoundParameter{Name: "jwt:role", Type: seshat.ParameterRole, Side: side, Value: w.scalar(raw)})
	}
	switch raw[0] {
	case '"':
		role(raw)
		return
	case '[':
	default:
		return
	}
	c := memberCursor{data: raw, pos: 1}
	for {
		c.space()
		if c.peek() == ',' {
			c.pos++
			continue
		}
		if c.peek() != '"' {
			return
		}
		text, ok := c.text()
		if !ok {
			return
		}
		role(text)
	}
}
