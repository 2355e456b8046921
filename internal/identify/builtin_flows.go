package identify

import (
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/endpoint"
	"github.com/seshat-project/seshat/internal/rule"
)

// builtInFlow is a flow that is recognised by itself: by words of the path, of which each is a whole segment or two in
// a row, on requests with one of the methods.
type builtInFlow struct {
	flow    seshat.FlowType
	methods []string // none means any
	words   []string // lower case
	// lengths has a bit for the length of the first part of each word: most segments of paths are told apart by it.
	lengths uint64
	parts   [][2]string // of each word, the first segment and the second, which is empty when there is none
}

// builtInFlows are tried in this order, and an exchange has at most one of the first [signInFlows], which are about
// signing in and out. Revoking a token is not signing out: clients do so for tokens that they have replaced. They are
// conservative: showing a form (GET /login) is no sign-in, and a word within a segment says nothing.
func builtInFlows() []builtInFlow {
	write := []string{"POST", "PUT", "PATCH"}
	out := []builtInFlow{
		{flow: seshat.FlowTokenRefresh, methods: write, words: []string{"refresh", "refresh-token", "refresh_token", "refreshtoken", "token-refresh", "auth-refresh", "renew"}},
		{flow: seshat.FlowLogout, methods: nil, words: []string{"logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "logoff", "end_session", "endsession", "end-session"}},
		{flow: seshat.FlowLogout, methods: []string{"GET", "POST"}, words: []string{"session/end", "sessions/end"}},
		{flow: seshat.FlowLogout, methods: []string{"DELETE"}, words: []string{"session", "sessions"}},
		{flow: seshat.FlowAccountCreation, methods: write, words: []string{"register", "registration", "signup", "sign-up", "sign_up", "create-account", "create_account"}},
		{flow: seshat.FlowAuthentication, methods: write, words: []string{
			"login", "log-in", "log_in", "signin", "sign-in", "sign_in", "logon", "authenticate", "auth-with-password",
			"auth-with-oauth2", "auth-with-otp", "verify-otp", "wp-login.php", "j_spring_security_check", "login.php",
		}},
		{flow: seshat.FlowAdmin, methods: nil, words: []string{"admin", "administrator", "administration", "wp-admin", "backoffice", "superuser"}},
		{flow: seshat.FlowBilling, methods: write, words: []string{
			"billing", "payment", "payments", "checkout", "invoice", "invoices", "subscription", "subscriptions", "charge",
			"charges", "refund", "refunds", "payout", "payouts", "payment_intents",
		}},
		{flow: seshat.FlowMessaging, methods: write, words: []string{"messages", "message", "conversations", "inbox", "direct-messages", "sms", "send-message"}},
		{flow: seshat.FlowAI, methods: write, words: []string{"completions", "embeddings", "responses", "generatecontent", "llm", "prompt", "prompts", "inference"}},
	}
	for i := range out {
		for _, word := range out[i].words {
			first, second, _ := strings.Cut(word, "/")
			out[i].lengths |= 1 << (len(first) % 64)
			out[i].parts = append(out[i].parts, [2]string{first, second})
		}
	}
	return out
}

// signInFlows is how many of builtInFlows are about signing in and out.
const signInFlows = 6

// issuingWords are segments of paths whose responses may issue tokens, also to a GET.
var issuingWords = [...]string{
	"token", "tokens", "oauth", "oauth2", "auth", "session", "sessions", "login", "signin", "authorize", "refresh", "callback", "jwt",
}

// flowFields are the fields of request bodies that flows are recognised by, beyond those of identifiers.
var flowFields = [...]string{"grant_type", "password", "passwd", "pwd", "token_type_hint"}

// findFlows adds the flows of the exchange: the declared ones by name, then the built-in ones.
func (w *Worker) findFlows(out *seshat.Identity) {
	flows := w.engine.rules.Flows()
	if len(flows) > 0 {
		for _, i := range w.scoped(w.engine.flowScopes) {
			if f := flows[i]; w.inFlow(f) {
				w.addFlow(out, f.Name, f.Type)
			}
		}
	}
	if len(w.engine.flows) > 0 {
		w.builtInFlows(out)
	}
}

func (w *Worker) inFlow(f *rule.Flow) bool {
	matched := len(f.Endpoints) == 0
	for i := range f.Endpoints {
		if w.atEndpoint(f.Endpoints[i]) {
			matched = true
			break
		}
	}
	if !matched {
		return false
	}
	trace := w.trace
	w.trace = nil // the conditions of flows are not part of an identifier's story
	held := w.hold(f.Conditions)
	w.trace = trace
	return held
}

// atEndpoint reports whether p is a pattern of the exchange: of its endpoint, or of its path as it was sent.
func (w *Worker) atEndpoint(p *endpoint.Pattern) bool {
	r := &w.x.Request
	host, path := r.Host, r.Path
	if host == "" {
		host = w.x.Service
	}
	if path == "" {
		path = "/"
	}
	if p.Match(r.Method, host, path) {
		return true
	}
	if !p.HasVariable() && strings.IndexByte(path, ';') < 0 && !strings.Contains(path, "//") {
		return false // "*" matches what a variable stands for
	}
	if w.template == "" {
		w.template = w.arena.keep(endpoint.AppendTemplate(w.arena.take(endpoint.MaxTemplate), path))
	}
	return p.Match(r.Method, host, w.template)
}

func (w *Worker) addFlow(out *seshat.Identity, name string, t seshat.FlowType) {
	for i := range out.Flows {
		if out.Flows[i].Name == name {
			return
		}
	}
	w.login = w.login || t == seshat.FlowAuthentication
	out.Flows = append(out.Flows, seshat.FlowMatch{Name: name, Type: t})
}

func (w *Worker) builtInFlows(out *seshat.Identity) {
	signIn := w.flowByBody()
	if signIn == "" {
		signIn = w.flowByQuery()
	}
	if signIn != "" {
		w.addFlow(out, string(signIn), signIn)
	}
	lengths := segmentLengths(w.x.Request.Path)
	for i := range w.engine.flows {
		f := &w.engine.flows[i]
		if f.lengths&lengths == 0 || i < signInFlows && signIn != "" || !f.method(w.x.Request.Method) || !f.path(w.x.Request.Path) {
			continue
		}
		if i < signInFlows {
			signIn = f.flow
		}
		w.addFlow(out, string(f.flow), f.flow)
	}
}

// flowByBody recognises token requests by their grant (RFC 6749), and sign-ins by a password together with a name.
func (w *Worker) flowByBody() seshat.FlowType {
	if len(w.x.Request.Body.Bytes) == 0 {
		return ""
	}
	fields := w.bodyFields(&rule.Selector{Location: seshat.LocationBody, Members: true})
	named, secret := false, false
	for i := range fields {
		name := lastName(fields[i].Name)
		switch name {
		case "grant_type":
			switch fields[i].Value {
			case "refresh_token":
				return seshat.FlowTokenRefresh
			case "authorization_code", "password", "urn:ietf:params:oauth:grant-type:device_code":
				return seshat.FlowAuthentication
			}
		case "password", "passwd", "pwd":
			secret = true
		}
		named = named || isUserField(name)
	}
	if !named || !secret || w.x.Request.Method != "POST" {
		return ""
	}
	for i := range w.engine.flows[:signInFlows] {
		if f := &w.engine.flows[i]; f.method(w.x.Request.Method) && f.path(w.x.Request.Path) {
			return f.flow
		}
	}
	return seshat.FlowAuthentication
}

// flowByQuery recognises an authorization request (RFC 6749, section 4.1.1), with which a sign-in at a provider begins.
func (w *Worker) flowByQuery() seshat.FlowType {
	if w.x.Request.Query == "" {
		return ""
	}
	client, kind := false, false
	for _, f := range w.fields(&rule.Selector{Location: seshat.LocationQuery}) {
		client = client || f.Name == "client_id"
		kind = kind || f.Name == "response_type"
	}
	if client && kind {
		return seshat.FlowAuthentication
	}
	return ""
}

func (f *builtInFlow) method(method string) bool {
	for _, m := range f.methods {
		if m == method {
			return true
		}
	}
	return len(f.methods) == 0
}

// segmentLengths has a bit for the length of each segment of path, as lengths of a flow has for its words.
func segmentLengths(path string) uint64 {
	lengths, start := uint64(0), 0
	for i := 0; i < len(path); i++ {
		if path[i] == '/' {
			lengths |= 1 << ((i - start) % 64)
			start = i + 1
		}
	}
	return lengths | 1<<((len(path)-start)%64)
}

// path reports whether a segment of path is one of the flow's words.
func (f *builtInFlow) path(path string) bool {
	for rest := path; rest != ""; {
		segment := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			segment, rest = rest[:i], rest[i+1:]
		} else {
			rest = ""
		}
		if f.lengths>>(len(segment)%64)&1 == 0 {
			continue
		}
		for i := range f.parts {
			if !rule.EqualFoldASCII(segment, f.parts[i][0]) {
				continue
			}
			second := f.parts[i][1]
			if next, _, _ := strings.Cut(rest, "/"); second == "" || rule.EqualFoldASCII(next, second) {
				return true
			}
		}
	}
	return false
}
