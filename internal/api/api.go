// Package api is the REST API of a running instance: everything that commands and the console do goes through it. It is
// described in docs/api.md, and by itself at /openapi.json and /docs.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/account"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/audit"
	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/live"
	"github.com/seshat-project/seshat/internal/resource"
	"github.com/seshat-project/seshat/internal/store"
)

// Registry is what the API needs of the resources. [resource.Registry] has it.
type Registry interface {
	List(ctx context.Context, kind seshat.Kind) ([]resource.Stored, error)
	Get(ctx context.Context, kind seshat.Kind, name string) (resource.Stored, error)
	Apply(ctx context.Context, parsed []resource.Parsed, o resource.ApplyOptions) ([]resource.Outcome, error)
	Delete(ctx context.Context, kind seshat.Kind, name string, expected kv.Revision, author resource.Author) error
	History(ctx context.Context, kind seshat.Kind, name string) ([]resource.Stored, error)
	Rollback(ctx context.Context, kind seshat.Kind, name string, to, expected kv.Revision, author resource.Author) (resource.Outcome, error)
}

// Denylist is what the API needs of the denylist.
type Denylist interface {
	// List returns the entries that are in force. Those that cannot be read are left out, and the error says which.
	List(ctx context.Context) ([]seshat.Denial, error)
	// Add puts an entry on the list, in place of one of its name, and returns it as it is kept: with a name.
	Add(ctx context.Context, d seshat.Denial) (seshat.Denial, error)
	// Remove takes an entry off the list in the name of somebody. An error of kind [seshat.ErrorNotFound] when there is none of
	// that name.
	Remove(ctx context.Context, name, by string) error
	// Past returns the entries about a session and its user that are in force no longer, the oldest first.
	Past(ctx context.Context, session seshat.SessionID, user string) ([]seshat.Denial, error)
}

// Digester makes the keyed digests of client session IDs, under the key that traffic is digested under.
type Digester interface {
	Hash(value []byte) seshat.Digest
}

// ImportInput is one file of an import. Inputs must be opened in their order, and read before the next one is opened.
type ImportInput struct {
	Name string
	Open func() (io.Reader, error)
}

// ImportRun is an import that the API asks for. Report may be called until the import returns, by one goroutine at a time.
type ImportRun struct {
	Options wire.ImportOptions
	Inputs  []ImportInput
	By      string
	Report  func(*wire.ImportEvent)
}

// Options are what the API serves. Registry and Authenticator are needed; a route whose part is nil says that it is not
// available.
type Options struct {
	Store    store.Reader
	Registry Registry
	Denylist Denylist
	Digester Digester
	// Authenticator says who a request comes from.
	Authenticator Authenticator
	// Import runs an import in this process.
	Import func(ctx context.Context, run *ImportRun) (wire.ImportSummary, error)
	// Archive writes sessions or exchanges in a format that the store does not write itself: ndjson or har.
	Archive func(ctx context.Context, r store.Reader, what store.Dataset, format string, q store.Query, w io.Writer) (int64, error)
	// Explain reads exchanges and explains each by the rules in force; the explanations are JSON values.
	Explain func(ctx context.Context, exchanges []byte, each func(any) error) error
	// RuleTests runs the tests in the file called run; the other files are those it may refer to.
	RuleTests func(ctx context.Context, run string, files map[string]string) (wire.RuleTestReport, error)
	// Preview tries a draft; see [Draft].
	Preview func(ctx context.Context, d *Draft) (*wire.Preview, error)
	// PreviewSource says what a draft would be tried on.
	PreviewSource func(ctx context.Context) (wire.PreviewSource, error)
	Views         Views
	// Accounts and Audit are who may use the API, and what they did. A handler that has one has both.
	Accounts *account.Keeper
	Audit    *audit.Log
	// External is the OpenID provider that people sign in with; nil when there is none. NoPasswords leaves nothing but that.
	External    External
	NoPasswords bool
	// Status says how the instance is, but for what the store holds. It must not wait.
	Status func(ctx context.Context) wire.Status
	// LimitStats are what limits and validations of tokens decided in this process.
	LimitStats func() []enforce.RuleStats
	// Feed has what is committed while it is; nil where another process records.
	Feed *live.Feed
	// Keys lists the keys of digests.
	Keys func() ([]wire.Key, error)

	// Hosts are the names, without port, that requests may be sent to besides those of the loopback interface. Others are
	// refused, so that no web page can reach the API under a name of its own.
	Hosts []string
	// TempDir is where exports are written before they are sent; they hold no secret.
	TempDir string
	Version string
	Logger  *slog.Logger
	Now     func() time.Time
}

// server is the API.
type server struct {
	Options
	mux     *http.ServeMux
	api     huma.API
	routes  map[string]route
	heavy   gate
	imports gate
	streams streamGate
	active  activeSessions
	guard   *Guard

	refusals refusals
}

// New returns the handler of the API: everything under /api/v1, /openapi.json and /docs. It needs a server without a
// WriteTimeout: streams set their own deadlines.
func New(o Options) (http.Handler, error) {
	if o.Store == nil {
		o.Store = noStore{}
	}
	if o.Registry == nil || o.Authenticator == nil {
		return nil, errors.New("api: Registry and Authenticator are needed")
	}
	if o.Accounts != nil && o.Audit == nil {
		return nil, errors.New("api: where there are accounts, what they do is written to an audit log")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	o.Store = maskingReader{o.Store}
	s := &server{
		Options: o, mux: http.NewServeMux(), routes: routes(), heavy: newGate(maxHeavy), imports: newGate(maxImports),
		guard: NewGuard(o.Hosts),
	}
	s.api = humago.New(s.mux, s.config())
	s.register()
	s.mux.HandleFunc("GET /docs", s.serveDocs)
	// For those that serve no console beside the API, as programs with the middleware.
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/docs", http.StatusSeeOther) })
	if err := s.checkRoutes(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) config() huma.Config {
	c := huma.DefaultConfig("Seshat", s.Version)
	c.Info.Description = "Which user session every exchange of an API's traffic belongs to, and what to do about it."
	c.DocsPath = "" // huma's page loads scripts from elsewhere
	c.SchemasPath = ""
	c.CreateHooks = nil // no $schema members in what is sent
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		bearer: {Type: "http", Scheme: "bearer", Description: "An API token, the token of a session of the console, or the token in instance.json of the data directory."},
		cookie: {Type: "apiKey", In: "cookie", Name: wire.SessionCookie, Description: "The token of a session of the console. What may change something needs " + wire.CSRFHeader + " too."},
	}
	c.Transformers = []huma.Transformer{hideValues}
	return c
}

// register registers every operation.
func (s *server) register() {
	s.registerSessions()
	s.registerTimeline()
	s.registerExchanges()
	s.registerAggregates()
	s.registerExports()
	s.registerResources()
	s.registerDenylist()
	s.registerImports()
	s.registerRules()
	s.registerPreviews()
	s.registerRuleOrder()
	s.registerPresets()
	s.registerDiff()
	s.registerViews()
	s.registerStatus()
	s.registerMe()
	s.registerSignIn()
	s.registerExternal()
	s.registerUsers()
	s.registerTokens()
	s.registerAudit()
	s.registerTail()
	s.registerLiveOverview()
	s.registerLimits()
}

// checkRoutes finds operations without an entry in the table of routes, and entries without an operation.
func (s *server) checkRoutes() error {
	known := map[string]bool{"GET /docs": true, "GET /{$}": true, "GET /openapi.json": true, "GET /openapi.yaml": true}
	for path, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op == nil {
				continue
			}
			pattern := op.Method + " " + path
			known[pattern] = true
			route, ok := s.routes[pattern]
			if !ok {
				return fmt.Errorf("api: %s has no entry in the table of routes", pattern)
			}
			if !safe(op.Method) && route.audit == "" {
				return fmt.Errorf("api: the table of routes does not say what the audit log has of %s", pattern)
			}
		}
	}
	for pattern := range s.routes {
		if !known[pattern] {
			return fmt.Errorf("api: the table of routes has %s, which nothing serves", pattern)
		}
	}
	return nil
}
