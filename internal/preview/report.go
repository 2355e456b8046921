package preview

import "time"

// Report is what a draft would do to the exchanges that it was tried on. It holds no secret: client session IDs are
// masked, and paths are as they would be kept. Its names in JSON are those of the API.
type Report struct {
	Exchanges  int       `json:"exchanges" doc:"How many exchanges the draft was tried on."`
	Successful int       `json:"successful" doc:"Those of them that the origin answered with 2xx."`
	First      time.Time `json:"first,omitzero" doc:"Time of the oldest of them."`
	Last       time.Time `json:"last,omitzero" doc:"Time of the newest of them."`

	Verdict  TrialVerdict   `json:"verdict"`
	Warnings []TrialWarning `json:"warnings" nullable:"false" doc:"What somebody should know before the draft is saved, the gravest first."`

	Rules        []RuleTrial    `json:"rules" nullable:"false" doc:"Every session rule that would be in force, in the order in which they are tried."`
	IdentifiedBy []IdentifiedBy `json:"identified_by" nullable:"false" doc:"What gives exchanges their sessions, before and after."`
	Before       SessionCounts  `json:"before" doc:"The sessions that the rules in force make of these exchanges."`
	After        SessionCounts  `json:"after" doc:"The sessions that they would make with the draft."`
	Moves        SessionMoves   `json:"moves" doc:"How the sessions before and after differ."`

	Found    []ExchangeExample `json:"found" nullable:"false" doc:"Some exchanges in which a rule of the draft finds something."`
	NotFound []ExchangeExample `json:"not_found" nullable:"false" doc:"Some exchanges in scope of a rule of the draft in which it finds nothing, and why."`
	Sessions []SessionExample  `json:"sessions" nullable:"false" doc:"Some sessions that the draft would make."`

	Parameters []ParameterTrial `json:"parameters,omitempty" doc:"Of each context parameter in the draft, what it would keep."`
	Flows      []FlowTrial      `json:"flows,omitempty" doc:"Of each flow in the draft, what would be part of it."`
	Masks      []MaskTrial      `json:"masks,omitempty" doc:"Of each mask rule in the draft, what it would remove."`
	Limits     []LimitTrial     `json:"limits,omitempty" doc:"Of each limit in the draft, what it would have limited."`
}

// The grades of a verdict and of warnings.
const (
	GradeGood    = "good"    // it does what a rule is for
	GradeNote    = "note"    // worth knowing
	GradeWarning = "warning" // it may not do what was meant
	GradeBad     = "bad"     // it would mix up sessions, or do nothing at all
)

// TrialVerdict is what a report comes to.
type TrialVerdict struct {
	Grade string `json:"grade" enum:"good,note,warning,bad"`
	Text  string `json:"text" doc:"In one sentence."`
}

// The codes of warnings. They are stable.
const (
	WarnNoExchanges     = "no-exchanges"     // there is nothing to try the draft on
	WarnNotInScope      = "not-in-scope"     // no exchange is in scope of the resource
	WarnNeverFound      = "never-found"      // in scope, but nothing was found
	WarnNeverFirst      = "never-first"      // what it finds, another one finds before it
	WarnSeveralUsers    = "several-users"    // one client session ID, several users
	WarnManyAddresses   = "many-addresses"   // one client session ID, many addresses
	WarnConstant        = "constant"         // nearly every client has the same value
	WarnSeenOnce        = "seen-once"        // a value for each exchange: a nonce, not a session ID
	WarnShort           = "short"            // values that can be guessed
	WarnEqualValues     = "equal-values"     // two identifiers find the same
	WarnMixedUsers      = "mixed-users"      // sessions that would hold several users
	WarnBodiesNotRead   = "bodies-not-read"  // nothing in force asks for the bodies it looks at
	WarnNotTried        = "not-tried"        // a kind of resource that says nothing of recorded traffic
	WarnLosesIdentified = "loses-identified" // fewer exchanges would be identified than before
	WarnDisabled        = "disabled"         // the resource is switched off
	WarnPartialClients  = "partial-clients"  // the exchanges are not all that their clients sent
	WarnLimitsMany      = "limits-many"      // a limit that stops a good part of the traffic
	WarnNoSuchResource  = "no-such-resource" // what is to be removed is not there
	WarnNoChange        = "no-change"        // nothing in the draft changes anything
)

// TrialWarning is one thing to know about a draft.
type TrialWarning struct {
	Code     string   `json:"code" doc:"Such as several-users. Stable."`
	Grade    string   `json:"grade" enum:"note,warning,bad"`
	Resource string   `json:"resource,omitempty" doc:"The resource that it is about, such as SessionRule/shop."`
	Index    *int     `json:"index,omitempty" doc:"The identifier of the rule that it is about."`
	Text     string   `json:"text" doc:"In one sentence."`
	Count    int      `json:"count,omitempty" doc:"How many values, exchanges or sessions it is about."`
	Examples []string `json:"examples,omitempty" doc:"Some of them, masked."`
}

// RuleTrial is what a session rule would find.
type RuleTrial struct {
	Name     string `json:"name"`
	RuleID   string `json:"rule_id"`
	Priority int    `json:"priority"`
	Draft    bool   `json:"draft,omitempty" doc:"The rule is part of the draft."`
	InScope  int    `json:"in_scope" doc:"Exchanges in its scope."`
	Found    int    `json:"found" doc:"Exchanges in which one of its identifiers found something."`
	Decides  int    `json:"decides" doc:"Exchanges that it gives their session."`
	// Successful counts answers with 2xx: what the origin refused says little about identifiers.
	Successful      int               `json:"successful" doc:"Exchanges in scope that were answered with 2xx."`
	FoundSuccessful int               `json:"found_successful" doc:"Those of them in which something was found."`
	Identifiers     []IdentifierTrial `json:"identifiers" nullable:"false"`
}

// IdentifierTrial is what one identifier of a rule would find.
type IdentifierTrial struct {
	Index           int         `json:"index"`
	Where           string      `json:"where" doc:"Where it looks, such as request cookie SESSID."`
	Found           int         `json:"found" doc:"Exchanges in which it found something."`
	FoundSuccessful int         `json:"found_successful" doc:"Those of them that were answered with 2xx."`
	Decides         int         `json:"decides" doc:"Exchanges that it gives their session."`
	Values          int         `json:"values" doc:"How many different values it found."`
	Missed          []MissedFor `json:"missed,omitempty" doc:"Why it found nothing in the others; of rules in the draft."`
}

// MissedFor is a reason why an identifier found nothing, and how often.
type MissedFor struct {
	Reason string `json:"reason" enum:"absent,condition,value,transformation,length,other"`
	Detail string `json:"detail,omitempty" doc:"Which condition or transformation."`
	Count  int    `json:"count"`
}

// IdentifiedBy says how many exchanges get their session from one source.
type IdentifiedBy struct {
	Name   string `json:"name" doc:"Of the rule or the built-in identifier, or ip+user-agent, or ip."`
	Origin string `json:"origin" enum:"rule,built-in,fallback"`
	Before int    `json:"before"`
	After  int    `json:"after"`
}

// SessionCounts describe the sessions of a set of exchanges.
type SessionCounts struct {
	Sessions     int `json:"sessions"`
	Users        int `json:"users" doc:"How many different users they name."`
	Identified   int `json:"identified" doc:"Exchanges whose session is known by more than address and user agent."`
	Median       int `json:"median" doc:"Median of the exchanges of a session."`
	Largest      int `json:"largest" doc:"Exchanges of the largest session."`
	OneExchange  int `json:"one_exchange" doc:"Sessions of one exchange."`
	SeveralUsers int `json:"several_users" doc:"Sessions whose exchanges name several users."`
}

// SessionMoves compare the sessions before and after.
type SessionMoves struct {
	Regrouped int `json:"regrouped" doc:"Exchanges that would get their session from another source than before."`
	Split     int `json:"split" doc:"Sessions whose exchanges would be spread over several."`
	Joined    int `json:"joined" doc:"Sessions that would hold exchanges of several."`
	Same      int `json:"same" doc:"Sessions that would hold the same exchanges as before."`
}

// ExchangeExample is one exchange that a draft was tried on.
type ExchangeExample struct {
	Time     time.Time `json:"time"`
	Method   string    `json:"method"`
	Host     string    `json:"host,omitempty"`
	Path     string    `json:"path,omitempty" doc:"With what identifies masked."`
	Status   int       `json:"status,omitempty"`
	Service  string    `json:"service,omitempty"`
	Rule     string    `json:"rule" doc:"The rule that the example is about."`
	Index    int       `json:"index" doc:"The identifier that found something; 0 when none did."`
	Field    string    `json:"field,omitempty" doc:"Where the value was, such as request cookie SESSID."`
	Masked   string    `json:"masked,omitempty" doc:"The client session ID that was found."`
	Session  string    `json:"session,omitempty" doc:"Names the session that it would get, within this report: s1, s2 and so on."`
	Explains []string  `json:"explains" nullable:"false" doc:"How it came about, in words, one sentence for each identifier."`
}

// SessionExample is a session that a draft would make.
type SessionExample struct {
	Name         string    `json:"name" doc:"s1, s2 and so on, within this report."`
	IdentifiedBy string    `json:"identified_by"`
	User         string    `json:"user,omitempty" doc:"Masked where the rules in force do not name it."`
	Exchanges    int       `json:"exchanges"`
	Addresses    int       `json:"addresses"`
	First        time.Time `json:"first"`
	Last         time.Time `json:"last"`
	Masked       []string  `json:"masked" nullable:"false" doc:"Its client session IDs."`
	Endpoints    []string  `json:"endpoints" nullable:"false" doc:"Those with most exchanges."`
	Was          int       `json:"was" doc:"Over how many sessions its exchanges are spread now."`
}

// CountedValue is a value, or a name, and how many exchanges have it.
type CountedValue struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// ParameterTrial is what a context parameter would keep.
type ParameterTrial struct {
	Name     string         `json:"name"`
	Type     string         `json:"type" enum:"plain,user,role"`
	InScope  int            `json:"in_scope"`
	Found    int            `json:"found" doc:"Exchanges in which it was found."`
	Distinct int            `json:"distinct" doc:"How many different values."`
	Values   []CountedValue `json:"values" nullable:"false" doc:"The most frequent ones. Masked, unless whoever asks may change resources and the value does not look like a secret."`
	Missed   []MissedFor    `json:"missed,omitempty"`
}

// FlowTrial is what would be part of a flow.
type FlowTrial struct {
	Name      string         `json:"name"`
	Type      string         `json:"type"`
	InScope   int            `json:"in_scope"`
	Matched   int            `json:"matched"`
	Sessions  int            `json:"sessions" doc:"Sessions with such exchanges."`
	Share     float64        `json:"share" doc:"Of all exchanges, 0 to 1."`
	Endpoints []CountedValue `json:"endpoints" nullable:"false" doc:"Those with most exchanges."`
}

// MaskTrial is what a mask rule would remove.
type MaskTrial struct {
	Name      string         `json:"name"`
	InScope   int            `json:"in_scope"`
	Removed   int            `json:"removed" doc:"Exchanges that something would be removed of."`
	Places    []CountedValue `json:"places" nullable:"false" doc:"Where, such as request header Authorization."`
	Endpoints []CountedValue `json:"endpoints" nullable:"false" doc:"Those with most exchanges."`
}

// LimitTrial is what a limit would have done.
type LimitTrial struct {
	Name      string         `json:"name"`
	Action    string         `json:"action" enum:"tag,limit,block"`
	Counted   int            `json:"counted" doc:"Requests in its scope, at its endpoints and under its conditions."`
	Limited   int            `json:"limited" doc:"Requests that it would have limited."`
	Sessions  int            `json:"sessions" doc:"Sessions with such requests."`
	Users     int            `json:"users" doc:"Users of such sessions."`
	First     time.Time      `json:"first,omitzero" doc:"Time of the first of them."`
	Hit       []LimitedOne   `json:"hit" nullable:"false" doc:"The sessions with most of them."`
	Endpoints []CountedValue `json:"endpoints" nullable:"false" doc:"Where those requests went."`
}

// LimitedOne is a session that a limit would have hit.
type LimitedOne struct {
	Session   string `json:"session" doc:"Names the session within this report."`
	User      string `json:"user,omitempty"`
	Address   string `json:"address,omitempty"`
	Exchanges int    `json:"exchanges"`
	Limited   int    `json:"limited"`
}
