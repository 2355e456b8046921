package api

import (
	"time"

	"github.com/seshat-project/seshat/internal/resource"
)

// Permission is what somebody may do. Roles and scopes are sets of permissions.
type Permission string

// The permissions.
const (
	// Public needs no sign-in at all. Nothing that is public says anything of the traffic.
	Public         Permission = "public"
	SessionsRead   Permission = "sessions:read"
	ExchangesRead  Permission = "exchanges:read"
	ResourcesRead  Permission = "resources:read"
	ResourcesWrite Permission = "resources:write"
	DenylistRead   Permission = "denylist:read"
	DenylistWrite  Permission = "denylist:write"
	ImportsWrite   Permission = "imports:write"
	RulesTry       Permission = "rules:try"
	StatusRead     Permission = "status:read"
	// SignedIn needs no permission, but somebody who asks.
	SignedIn Permission = "signed-in"
	// AccountOwn lets somebody look after their own sessions, tokens and password.
	AccountOwn Permission = "account:own"
	// ExchangesReveal shows client session IDs that are stored in clear.
	ExchangesReveal Permission = "exchanges:reveal"
	// ExchangesExport lets somebody take traffic away: as a file, or a whole list at once.
	ExchangesExport Permission = "exchanges:export"
	UsersRead       Permission = "users:read"
	// UsersWrite lets somebody change users, and with that give every permission to anybody.
	UsersWrite Permission = "users:write"
	AuditRead  Permission = "audit:read"
	// ViewsOwn lets somebody keep views of their own, and see those that are shared.
	ViewsOwn Permission = "views:own"
	// ViewsShare lets somebody share views, and change those of others that are shared.
	ViewsShare Permission = "views:share"
)

// Permissions returns every permission that somebody can have.
func Permissions() []Permission {
	return []Permission{
		SessionsRead, ExchangesRead, ResourcesRead, ResourcesWrite, DenylistRead, DenylistWrite, ImportsWrite, RulesTry, StatusRead,
		ViewsOwn, ViewsShare, AccountOwn, ExchangesReveal, ExchangesExport, UsersRead, UsersWrite, AuditRead,
	}
}

// route is what the API asks for and allows on one route.
type route struct {
	permission Permission
	// within is how long an answer may take; 0 does not bound it.
	within time.Duration
	// heavy routes read much of the store. Only some of them are served at once.
	heavy bool
	// imports take their turn: each wants all of the machine.
	imports bool
	// follows is of routes whose answers go on until somebody ends them. Only some of them are open at once.
	follows bool
	// audit is the action under which the audit log has each request; empty for those that only read. Of those that may
	// change something it has to be said: see notAudited.
	audit string
	// dryRun routes change nothing where the request has dry_run=true.
	dryRun bool
	// downloads are lists that may be asked for as a whole, which takes the permission to export, and is written to the
	// audit log.
	downloads bool
	// reveals are routes that show client session IDs, masked unless reveal=true is asked for, which takes the permission
	// to reveal, and is written to the audit log.
	reveals bool
	// body is how many bytes the body of a request may have; 0 allows none, negative does not bound it.
	body int64
}

// notAudited is said of routes that take a body and only read, and of signing in, which is written down where it is decided.
const notAudited = "-"

// The times that answers may take. A page of anything is to be there within a second; what takes longer than this has
// nobody waiting for it any more. Streams may be as long as what is stored.
const (
	quick     = 10 * time.Second
	slow      = 60 * time.Second
	streaming = 30 * time.Minute
)

// The sizes that bodies may have.
const (
	accountBody  = 16 << 10 // of those who are not signed in either
	smallBody    = 1 << 20  // a revocation of a thousand sessions has 40 kB
	exchangeBody = 64 << 20 // as many exchanges as a command explains
	testBody     = 16 << 20
	previewBody  = 32 << 20 // 5,000 exchanges of 6 kB, and a draft
)

// routes is the table of all routes.
func routes() map[string]route {
	const v1 = "/api/v1"
	return map[string]route{
		"GET /docs":         {permission: Public, within: quick},
		"GET /{$}":          {permission: Public, within: quick},
		"GET /openapi.json": {permission: Public, within: quick},
		"GET /openapi.yaml": {permission: Public, within: quick},

		"GET " + v1 + "/sessions":                {permission: SessionsRead, within: streaming, heavy: true, downloads: true},
		"GET " + v1 + "/sessions/{id}":           {permission: SessionsRead, within: slow},
		"GET " + v1 + "/sessions/{id}/lineage":   {permission: SessionsRead, within: slow, reveals: true},
		"GET " + v1 + "/sessions/{id}/timeline":  {permission: ExchangesRead, within: slow, heavy: true},
		"GET " + v1 + "/sessions/{id}/exchanges": {permission: ExchangesRead, within: streaming, heavy: true, downloads: true, reveals: true},
		"GET " + v1 + "/exchanges":               {permission: ExchangesRead, within: streaming, heavy: true, downloads: true, reveals: true},
		"GET " + v1 + "/exchanges/{id}":          {permission: ExchangesRead, within: slow, reveals: true},
		"GET " + v1 + "/lookup/sessions":         {permission: SessionsRead, within: slow},
		"GET " + v1 + "/lookup/exchange":         {permission: ExchangesRead, within: slow, reveals: true},
		"GET " + v1 + "/span":                    {permission: SessionsRead, within: slow},
		"GET " + v1 + "/overview":                {permission: SessionsRead, within: slow, heavy: true},
		"GET " + v1 + "/exports/{dataset}":       {permission: ExchangesExport, within: streaming, heavy: true, audit: "traffic.export", reveals: true},
		"GET " + v1 + "/exchanges/tail":          {permission: ExchangesRead, follows: true},
		"GET " + v1 + "/overview/live":           {permission: ExchangesRead, follows: true},
		"GET " + v1 + "/overview/rates":          {permission: ExchangesRead, within: quick},

		"GET " + v1 + "/aggregates/exchanges": {permission: ExchangesRead, within: slow, heavy: true},
		"GET " + v1 + "/aggregates/sessions":  {permission: SessionsRead, within: slow, heavy: true},
		"GET " + v1 + "/facets/exchanges":     {permission: ExchangesRead, within: slow, heavy: true},
		"GET " + v1 + "/facets/sessions":      {permission: SessionsRead, within: slow, heavy: true},
		"GET " + v1 + "/histograms/exchanges": {permission: ExchangesRead, within: slow, heavy: true},
		"GET " + v1 + "/histograms/sessions":  {permission: SessionsRead, within: slow, heavy: true},

		"GET " + v1 + "/resources":                         {permission: ResourcesRead, within: quick},
		"POST " + v1 + "/resources":                        {permission: ResourcesWrite, within: slow, body: resource.MaxInput, audit: "resource.apply", dryRun: true},
		"POST " + v1 + "/resources/validate":               {permission: ResourcesRead, within: slow, body: resource.MaxInput, audit: notAudited},
		"GET " + v1 + "/resources/schema":                  {permission: ResourcesRead, within: quick},
		"GET " + v1 + "/resources/{kind}/{name}":           {permission: ResourcesRead, within: quick},
		"PUT " + v1 + "/resources/{kind}/{name}":           {permission: ResourcesWrite, within: slow, body: resource.MaxInput, audit: "resource.put", dryRun: true},
		"DELETE " + v1 + "/resources/{kind}/{name}":        {permission: ResourcesWrite, within: slow, audit: "resource.delete"},
		"GET " + v1 + "/resources/{kind}/{name}/history":   {permission: ResourcesRead, within: quick},
		"POST " + v1 + "/resources/{kind}/{name}/rollback": {permission: ResourcesWrite, within: slow, body: smallBody, audit: "resource.roll-back"},

		"GET " + v1 + "/resources/{kind}/{name}/diff":     {permission: ResourcesRead, within: quick},
		"POST " + v1 + "/resources/{kind}/{name}/enabled": {permission: ResourcesWrite, within: slow, body: smallBody, audit: "resource.enable"},
		"GET " + v1 + "/presets":                          {permission: ResourcesRead, within: quick},
		"GET " + v1 + "/presets/{name}":                   {permission: ResourcesRead, within: quick},
		"GET " + v1 + "/session-rules/order":              {permission: ResourcesRead, within: quick},
		"POST " + v1 + "/session-rules/order":             {permission: ResourcesWrite, within: slow, body: smallBody, audit: "resource.order"},

		"GET " + v1 + "/views":         {permission: ViewsOwn, within: quick},
		"POST " + v1 + "/views":        {permission: ViewsOwn, within: quick, body: smallBody, audit: "view.add"},
		"GET " + v1 + "/views/{id}":    {permission: ViewsOwn, within: quick},
		"PUT " + v1 + "/views/{id}":    {permission: ViewsOwn, within: quick, body: smallBody, audit: "view.put"},
		"DELETE " + v1 + "/views/{id}": {permission: ViewsOwn, within: quick, audit: "view.delete"},

		"GET " + v1 + "/limits":             {permission: ResourcesRead, within: quick},
		"GET " + v1 + "/denylist":           {permission: DenylistRead, within: quick},
		"PUT " + v1 + "/denylist/{name}":    {permission: DenylistWrite, within: quick, body: smallBody, audit: "denylist.put"},
		"DELETE " + v1 + "/denylist/{name}": {permission: DenylistWrite, within: quick, audit: "denylist.delete"},
		"POST " + v1 + "/revocations":       {permission: DenylistWrite, within: slow, body: smallBody, audit: "denylist.revoke"},

		"POST " + v1 + "/imports":                         {permission: ImportsWrite, imports: true, body: -1, audit: "traffic.import"},
		"POST " + v1 + "/explain":                         {permission: RulesTry, within: slow, heavy: true, body: exchangeBody, audit: notAudited},
		"POST " + v1 + "/rule-tests":                      {permission: RulesTry, within: slow, heavy: true, body: testBody, audit: notAudited},
		"POST " + v1 + "/previews":                        {permission: RulesTry, within: slow, heavy: true, body: previewBody, audit: notAudited},
		"GET " + v1 + "/previews/source":                  {permission: RulesTry, within: quick},
		"GET " + v1 + "/me":                               {permission: SignedIn, within: quick},
		"POST " + v1 + "/console-sessions":                {permission: Public, within: slow, body: accountBody, audit: notAudited},
		"GET " + v1 + "/console-sessions":                 {permission: AccountOwn, within: quick},
		"DELETE " + v1 + "/console-sessions/current":      {permission: AccountOwn, within: quick, audit: "session.sign-out"},
		"DELETE " + v1 + "/console-sessions/{id}":         {permission: AccountOwn, within: quick, audit: "session.end"},
		"GET " + v1 + "/tokens":                           {permission: AccountOwn, within: quick},
		"POST " + v1 + "/tokens":                          {permission: AccountOwn, within: quick, body: accountBody, audit: "token.create"},
		"DELETE " + v1 + "/tokens/{id}":                   {permission: AccountOwn, within: quick, audit: "token.revoke"},
		"GET " + v1 + "/users":                            {permission: UsersRead, within: quick},
		"POST " + v1 + "/users":                           {permission: UsersWrite, within: slow, body: accountBody, audit: "user.create"},
		"GET " + v1 + "/users/{name}":                     {permission: UsersRead, within: quick},
		"PATCH " + v1 + "/users/{name}":                   {permission: UsersWrite, within: quick, body: accountBody, audit: "user.change"},
		"DELETE " + v1 + "/users/{name}":                  {permission: UsersWrite, within: slow, audit: "user.delete"},
		"POST " + v1 + "/users/{name}/password":           {permission: AccountOwn, within: slow, body: accountBody, audit: "user.password"},
		"DELETE " + v1 + "/users/{name}/console-sessions": {permission: UsersWrite, within: quick, audit: "session.end-all"},
		"POST " + v1 + "/sign-in-links":                   {permission: UsersWrite, within: quick, body: accountBody, audit: "link.create"},
		"POST " + v1 + "/sign-in-links/check":             {permission: Public, within: quick, body: accountBody, audit: notAudited},
		"GET " + v1 + "/sign-in/methods":                  {permission: Public, within: quick},
		"POST " + v1 + "/sign-in/external":                {permission: Public, within: slow, body: accountBody, audit: notAudited},
		"POST " + v1 + "/sign-in/external/end":            {permission: Public, within: slow, body: accountBody, audit: notAudited},
		"GET " + v1 + "/audit":                            {permission: AuditRead, within: quick},

		"GET " + v1 + "/status":          {permission: StatusRead, within: quick},
		"GET " + v1 + "/keys":            {permission: StatusRead, within: quick},
		"GET " + v1 + "/filters/fields":  {permission: StatusRead, within: quick},
		"GET " + v1 + "/filters/check":   {permission: StatusRead, within: quick},
		"GET " + v1 + "/filters/suggest": {permission: StatusRead, within: quick},
	}
}
