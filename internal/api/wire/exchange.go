package wire

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// Exchange is an exchange as it is kept.
type Exchange struct {
	Key           string     `json:"key" doc:"The key under which it is stored: 16 hexadecimal digits."`
	ID            string     `json:"id,omitempty" doc:"Its own ID, where the source had one."`
	SessionID     string     `json:"session_id"`
	Time          time.Time  `json:"time" doc:"When the request started."`
	DurationMS    float64    `json:"duration_ms,omitempty"`
	Environment   string     `json:"environment,omitempty"`
	Service       string     `json:"service,omitempty"`
	Method        string     `json:"method"`
	Scheme        string     `json:"scheme,omitempty"`
	Host          string     `json:"host,omitempty"`
	Path          string     `json:"path" doc:"With the identifiers in it masked."`
	Template      string     `json:"template,omitempty" doc:"The path template, such as /orders/{var1}."`
	Endpoint      string     `json:"endpoint" doc:"Method, host and path template."`
	HTTPVersion   string     `json:"http_version,omitempty"`
	Status        int        `json:"status,omitempty" doc:"Absent when no response was seen."`
	RequestBytes  int64      `json:"request_bytes"`
	ResponseBytes int64      `json:"response_bytes"`
	IP            netip.Addr `json:"ip,omitzero"`
	UserAgent     string     `json:"user_agent,omitempty"`
	JA4           string     `json:"ja4,omitempty"`
	Device        string     `json:"device,omitempty" doc:"Digest of what tells clients at one address apart."`
	Origin        string     `json:"origin,omitempty" doc:"Scheme and host that the request came from."`
	TraceID       string     `json:"trace_id,omitempty"`

	ClientSessionIDs []ClientSessionID `json:"client_session_ids,omitempty" doc:"What identified it, in the order in which it is tried."`
	Grouping         int               `json:"grouping" doc:"Which of them gave it its session, from 0."`
	Parameters       []Parameter       `json:"parameters,omitempty"`
	Flows            []Flow            `json:"flows,omitempty"`
	Verdict          *Verdict          `json:"verdict,omitempty" doc:"What was decided; absent when it was allowed."`
}

// ClientSessionID is a client session ID that was found in an exchange.
type ClientSessionID struct {
	Digest     seshat.Digest `json:"digest" doc:"Keyed digest of the value."`
	Masked     string        `json:"masked,omitempty" doc:"The value as it may be shown."`
	RuleID     string        `json:"rule_id,omitempty" doc:"UUID of the session rule; absent of the built-in set."`
	Index      int           `json:"index" doc:"Of the identifier within its rule."`
	Attribute  string        `json:"attribute,omitempty" doc:"Name of the attribute under which it is kept."`
	Name       string        `json:"name" doc:"Of the rule, or the built-in identifier."`
	Origin     string        `json:"origin" enum:"rule,built-in,fallback"`
	Kind       string        `json:"kind" enum:"session,accessToken,refreshToken,authorizationCode,apiKey,claim,transaction,userAgent,address"`
	Side       string        `json:"side" enum:"request,response"`
	Location   string        `json:"location" enum:",header,cookie,query,pathSegment,pathParameter,body,status,clientIP,userAgent,ja4"`
	Field      string        `json:"field,omitempty" doc:"The name it was found under."`
	Deleted    bool          `json:"deleted,omitempty" doc:"The response took it away."`
	ExpiresAt  time.Time     `json:"expires_at,omitzero"`
	LifetimeMS float64       `json:"lifetime_ms,omitempty"`
	Token      *Token        `json:"token,omitempty" doc:"Claims, when it is a JWT."`
}

// Token is what is kept of the claims of a token.
type Token struct {
	Issuer    string        `json:"issuer,omitempty"`
	Subject   string        `json:"subject,omitempty"`
	Session   seshat.Digest `json:"session,omitzero" doc:"Digest of issuer and sid."`
	IssuedAt  time.Time     `json:"issued_at,omitzero"`
	ExpiresAt time.Time     `json:"expires_at,omitzero"`
}

// Parameter is a context parameter of an exchange.
type Parameter struct {
	Name  string `json:"name"`
	Type  string `json:"type" enum:"plain,user,role"`
	Side  string `json:"side" enum:"request,response"`
	Value string `json:"value"`
	Weak  bool   `json:"weak,omitempty" doc:"Stated by the client without proof."`
}

// Flow is a flow that an exchange is part of.
type Flow struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Verdict is what was decided on a request.
type Verdict struct {
	Action string   `json:"action" enum:"allow,tag,limit,block"`
	By     string   `json:"by,omitempty"`
	Tags   []string `json:"tags,omitempty"`
}

// The names of what the nouns number, in the order of their constants.
var (
	locationNames  = [...]string{"", "header", "cookie", "query", "pathSegment", "pathParameter", "body", "status", "clientIP", "userAgent", "ja4"}
	parameterNames = [...]string{"plain", "user", "role"}
)

// NewExchange returns x as it goes over the wire.
func NewExchange(x *seshat.Assigned) *Exchange {
	o := x.Observation
	out := &Exchange{
		Key: KeyText(x.Key), ID: o.ID, SessionID: x.Session.String(), Time: o.Time.UTC(), DurationMS: milliseconds(o.Duration),
		Environment: o.Environment, Service: o.Service, Method: o.Method, Scheme: o.Scheme, Host: o.Host, Path: o.Path,
		Template: o.Endpoint, Endpoint: store.EndpointName(o), HTTPVersion: o.HTTPVersion, Status: o.Status,
		RequestBytes: o.RequestBytes, ResponseBytes: o.ResponseBytes, IP: o.ClientIP, UserAgent: o.UserAgent, JA4: o.JA4,
		Origin: o.Origin, TraceID: o.TraceID, Grouping: o.Grouping,
	}
	if !o.Device.IsZero() {
		out.Device = o.Device.String()
	}
	for i := range o.IDs {
		out.ClientSessionIDs = append(out.ClientSessionIDs, newClientSessionID(&o.IDs[i]))
	}
	for _, p := range o.Parameters {
		out.Parameters = append(out.Parameters, Parameter{
			Name: p.Name, Type: nameOf(parameterNames[:], int(p.Type)), Side: p.Side.String(), Value: p.Value, Weak: p.Weak,
		})
	}
	for _, f := range o.Flows {
		out.Flows = append(out.Flows, Flow{Name: f.Name, Type: string(f.Type)})
	}
	if v := o.Verdict; v.Action != seshat.ActionAllow || v.By != "" || len(v.Tags) > 0 {
		out.Verdict = &Verdict{Action: v.Action.String(), By: v.By, Tags: v.Tags}
	}
	return out
}

func newClientSessionID(id *seshat.ObservedID) ClientSessionID {
	out := ClientSessionID{
		Digest: id.Digest, Masked: id.Masked, Index: id.Index, Name: id.Name, Origin: id.Origin.String(), Kind: id.Kind.String(),
		Side: id.Side.String(), Location: nameOf(locationNames[:], int(id.Where)), Field: id.Key, Deleted: id.Deleted,
		ExpiresAt: id.ExpiresAt, LifetimeMS: milliseconds(id.Lifetime),
	}
	if id.Origin != seshat.OriginFallback {
		out.Attribute = seshat.AttributeName(id.Rule, id.Index)
	}
	if !id.Rule.IsZero() {
		out.RuleID = id.Rule.String()
	}
	if id.Token.IsToken {
		out.Token = &Token{
			Issuer: id.Token.Issuer, Subject: id.Token.Subject, Session: id.Token.SessionID, IssuedAt: id.Token.IssuedAt,
			ExpiresAt: id.Token.ExpiresAt,
		}
	}
	return out
}

// Assigned is the exchange that e was made of.
func (e *Exchange) Assigned() (*seshat.Assigned, error) {
	session, err := seshat.ParseSessionID(e.SessionID)
	if err != nil {
		return nil, fmt.Errorf("session %q: %w", e.SessionID, err)
	}
	key, err := strconv.ParseUint(e.Key, 16, 64)
	if err != nil {
		return nil, fmt.Errorf("the key of an exchange: %w", err)
	}
	o := &seshat.Observation{
		Key: seshat.ExchangeKey(key), ID: e.ID, Time: e.Time.UTC(), Duration: duration(e.DurationMS), Environment: e.Environment,
		Service: e.Service, Method: e.Method, Scheme: e.Scheme, Host: e.Host, Path: e.Path, Endpoint: e.Template,
		HTTPVersion: e.HTTPVersion, Status: e.Status, RequestBytes: e.RequestBytes, ResponseBytes: e.ResponseBytes,
		ClientIP: e.IP, UserAgent: e.UserAgent, JA4: e.JA4, Origin: e.Origin, TraceID: e.TraceID, Grouping: e.Grouping,
	}
	if e.Device != "" {
		if err := o.Device.UnmarshalText([]byte(e.Device)); err != nil {
			return nil, err
		}
	}
	for i := range e.ClientSessionIDs {
		id, err := e.ClientSessionIDs[i].observed()
		if err != nil {
			return nil, err
		}
		o.IDs = append(o.IDs, id)
	}
	for _, p := range e.Parameters {
		o.Parameters = append(o.Parameters, seshat.Parameter{
			Name: p.Name, Type: seshat.ParameterType(indexOf(parameterNames[:], p.Type)), Side: side(p.Side), Value: p.Value, Weak: p.Weak,
		})
	}
	for _, f := range e.Flows {
		o.Flows = append(o.Flows, seshat.FlowMatch{Name: f.Name, Type: seshat.FlowType(f.Type)})
	}
	if v := e.Verdict; v != nil {
		o.Verdict = seshat.ObservedVerdict{Action: action(v.Action), By: v.By, Tags: v.Tags}
	}
	return &seshat.Assigned{Observation: o, Session: session}, nil
}

func (c *ClientSessionID) observed() (seshat.ObservedID, error) {
	id := seshat.ObservedID{
		Digest: c.Digest, Masked: c.Masked, Index: c.Index, Name: c.Name, Origin: origin(c.Origin), Kind: idKind(c.Kind),
		Side: side(c.Side), Where: seshat.Location(indexOf(locationNames[:], c.Location)), Key: c.Field, Deleted: c.Deleted,
		ExpiresAt: c.ExpiresAt, Lifetime: duration(c.LifetimeMS),
	}
	if c.RuleID != "" {
		rule, err := seshat.ParseRuleID(c.RuleID)
		if err != nil {
			return id, fmt.Errorf("rule %q: %w", c.RuleID, err)
		}
		id.Rule = rule
	}
	if c.Token != nil {
		id.Token = seshat.ObservedClaims{
			IsToken: true, Issuer: c.Token.Issuer, Subject: c.Token.Subject, SessionID: c.Token.Session, IssuedAt: c.Token.IssuedAt,
			ExpiresAt: c.Token.ExpiresAt,
		}
	}
	return id, nil
}

// KeyText is the written form of an exchange's key.
func KeyText(key seshat.ExchangeKey) string { return fmt.Sprintf("%016x", uint64(key)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func duration(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return names[0]
}

// indexOf is where name is in names; the first when it is not: what a newer server may say is not known here.
func indexOf(names []string, name string) int {
	for i := range names {
		if names[i] == name {
			return i
		}
	}
	return 0
}

func side(name string) seshat.Side {
	if name == seshat.InResponse.String() {
		return seshat.InResponse
	}
	return seshat.InRequest
}

func origin(name string) seshat.Origin {
	for _, o := range []seshat.Origin{seshat.OriginRule, seshat.OriginBuiltIn} {
		if o.String() == name {
			return o
		}
	}
	return seshat.OriginFallback
}

func idKind(name string) seshat.IDKind {
	for kind := seshat.KindSession; kind <= seshat.KindAddress; kind++ {
		if kind.String() == name {
			return kind
		}
	}
	return seshat.KindSession
}

func action(name string) seshat.Action {
	for a := seshat.ActionAllow; a <= seshat.ActionBlock; a++ {
		if a.String() == name {
			return a
		}
	}
	return seshat.ActionAllow
}
