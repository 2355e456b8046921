package seshat_test

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/seshat-project/seshat"

// layer is how far from the nouns a package is. A package imports layers before its own only, so that arrows point
// one way; within a layer, see samelayer.
type layer int

const (
	nouns layer = iota
	engines
	contracts
	pipelines
	adapters
	assembly // what puts parts of all kinds together, for the command and for other programs
	command
	outside // tools and tests of the whole: they see what they are about and nothing sees them
)

// layers says where every package stands. A new package that is not here fails the test: say where it belongs.
var layers = map[string]layer{
	".": nouns,

	"internal/accuracy":   engines,
	"internal/clientaddr": engines,
	"internal/correlate":  engines,
	"internal/endpoint":   engines,
	"internal/enforce":    engines,
	"internal/filter":     engines,
	"internal/http1":      engines,
	"internal/httpfield":  engines,
	"internal/identify":   engines,
	"internal/ja4":        engines,
	"internal/jsonpath":   engines,
	"internal/jwks":       engines,
	"internal/jwt":        engines,
	"internal/preview":    engines,
	"internal/protect":    engines,
	"internal/recent":     engines,
	"internal/rule":       engines,
	"internal/token":      engines,

	"internal/ingest":  contracts,
	"internal/journal": contracts,
	"internal/kv":      contracts,
	"internal/store":   contracts,

	"internal/journal/spool": pipelines,
	"internal/live":          pipelines,
	"internal/pipeline":      pipelines,
	"internal/kv/mirror":     pipelines,
	"internal/revoked":       pipelines,

	"internal/account":             adapters,
	"internal/audit":               adapters,
	"internal/api":                 adapters,
	"internal/api/client":          adapters,
	"internal/api/wire":            adapters,
	"internal/console":             adapters,
	"internal/console/assets":      adapters,
	"internal/console/editor":      adapters,
	"internal/console/ui":          adapters,
	"internal/console/web":         adapters,
	"internal/console/overview":    adapters,
	"internal/console/sessions":    adapters,
	"internal/console/session":     adapters,
	"internal/console/explorer":    adapters,
	"internal/console/rules":       adapters,
	"internal/console/declared":    adapters,
	"internal/console/manage":      adapters,
	"internal/console/consoletest": adapters,
	"internal/console/limits":      adapters,
	"internal/console/settings":    adapters,
	"internal/console/signin":      adapters,
	"internal/instance":            adapters,
	"internal/config":              adapters,
	"internal/demo":                adapters,
	"internal/telemetry":           adapters,
	"internal/accesslogservice":    adapters,
	"internal/extproc":             adapters,
	"internal/forwardauth":         adapters,
	"internal/denylist":            adapters,
	"internal/gateway":             adapters,
	"internal/ingest/accesslog":    adapters,
	"internal/ingest/detect":       adapters,
	"internal/ingest/har":          adapters,
	"internal/ingest/jsonrecord":   adapters,
	"internal/ingest/lines":        adapters,
	"internal/ingest/ndjson":       adapters,
	"internal/ingest/tail":         adapters,
	"internal/journal/journaltest": adapters,
	"internal/pipeline/inlinetest": adapters,
	"internal/journal/memory":      adapters,
	"internal/jwks/remote":         adapters,
	"internal/kv/kvtest":           adapters,
	"internal/kv/memory":           adapters,
	"internal/natsjournal":         adapters,
	"internal/listener":            adapters,
	"internal/natskv":              adapters,
	"internal/natsserver":          adapters,
	"internal/oidc":                adapters,
	"internal/resource":            adapters,
	"internal/resource/preset":     adapters,
	"internal/resource/ruletest":   adapters,
	"internal/store/duckdb":        adapters,
	"internal/store/memory":        adapters,
	"internal/store/storetest":     adapters,
	"internal/terminal":            adapters,
	"internal/view":                adapters,

	"internal/node": assembly,

	"cmd/seshat": command,
	"middleware": command, // for programs that are not this one

	"examples":                       outside,
	"test":                           outside,
	"test/benchgateway":              outside,
	"test/accuracy":                  outside,
	"test/benchgateway/emptyextproc": outside,
	"test/trafficgen":                outside,
}

// neighbours are the imports between packages of one layer that are meant: parts that several formats share, the one
// that chooses among formats, what is built on resources, and a suite with its twin. Engines may import each other;
// that Go refuses circles is enough there.
var neighbours = map[string][]string{
	"internal/account":    {"internal/audit"},
	"internal/api":        {"internal/account", "internal/api/wire", "internal/audit", "internal/resource", "internal/resource/preset", "internal/view"},
	"internal/api/client": {"internal/api/wire", "internal/resource"},
	"internal/console": {
		"internal/api/client", "internal/api/wire", "internal/console/assets", "internal/console/ui", "internal/console/web",
		"internal/console/overview", "internal/console/sessions", "internal/console/session", "internal/console/explorer",
		"internal/console/rules", "internal/console/declared", "internal/console/limits", "internal/console/settings",
		"internal/console/signin",
	},
	"internal/console/editor":      {"internal/console/ui"},
	"internal/console/web":         {"internal/api/client", "internal/api/wire", "internal/console/assets", "internal/console/ui"},
	"internal/console/overview":    consolePage(),
	"internal/console/sessions":    consolePage(),
	"internal/console/session":     consolePage(),
	"internal/console/explorer":    consolePage(),
	"internal/console/rules":       append(consolePage(), "internal/console/manage"),
	"internal/console/declared":    append(consolePage(), "internal/console/manage"),
	"internal/console/limits":      append(consolePage(), "internal/console/manage"),
	"internal/console/manage":      consolePage(),
	"internal/console/consoletest": append(consolePage(), "internal/api", "internal/console/assets", "internal/console/manage", "internal/kv/memory", "internal/store/memory"),
	"internal/console/settings":    append(consolePage(), "internal/console/manage", "internal/console/signin"),
	"internal/console/signin":      consolePage(),
	"internal/extproc":             {"internal/accesslogservice"}, // one server for what Envoy sends
	"internal/config":              {"internal/resource"},
	"internal/ingest/accesslog":    {"internal/ingest/jsonrecord", "internal/ingest/lines"},
	"internal/ingest/detect":       {"internal/ingest/accesslog", "internal/ingest/har", "internal/ingest/ndjson"},
	"internal/ingest/har":          {"internal/ingest/jsonrecord"},
	"internal/ingest/jsonrecord":   {},
	"internal/ingest/ndjson":       {"internal/ingest/jsonrecord", "internal/ingest/lines"},
	"internal/natskv":              {"internal/natsserver"},
	"internal/ingest/tail":         {"internal/ingest/accesslog", "internal/ingest/lines"},
	"internal/pipeline":            {"internal/journal/spool"},
	"internal/resource/preset":     {"internal/resource"},
	"internal/resource/ruletest":   {"internal/resource", "internal/resource/preset"},
	"internal/store/storetest":     {"internal/store/memory"},
	"internal/pipeline/inlinetest": {"internal/journal/memory", "internal/resource"},
}

// consolePage are the neighbours of a page of the console: what it asks, and what it is made of.
func consolePage() []string {
	return []string{
		"internal/api/client", "internal/api/wire", "internal/console/editor", "internal/console/ui", "internal/console/web", "internal/resource",
	}
}

// scenarios is the folder of the tests of the whole program.
const scenarios = "test"

// outsideImports are the packages of the module that tools and tests may import. The scenarios import none: they see
// the program as its users do.
var outsideImports = map[string][]string{
	"test/accuracy": {"internal/accuracy"},
}

// technologies are the libraries, by the beginning of their import path, that stay behind one package each.
var technologies = map[string]string{
	"github.com/danielgtaylor/huma/":  "internal/api",
	"database/sql":                    "internal/store/duckdb",
	"github.com/duckdb/":              "internal/store/duckdb",
	"github.com/envoyproxy/":          "internal/accesslogservice",
	"google.golang.org/grpc":          "internal/extproc",
	"github.com/nats-io/":             "internal/natsserver",
	"github.com/spf13/":               "cmd/seshat",
	"github.com/jedib0t/go-pretty":    "internal/terminal",
	"github.com/goccy/go-yaml":        "internal/resource",
	"github.com/andybalholm/brotli":   "internal/httpfield",
	"github.com/invopop/jsonschema":   "internal/resource",
	"golang.org/x/term":               "internal/terminal",
	"golang.org/x/crypto/":            "internal/account",
	"github.com/schollz/progressbar/": "internal/terminal",
	"github.com/coreos/go-oidc/":      "internal/oidc",
	"golang.org/x/oauth2":             "internal/oidc",
}

// sharedTechnologies are second places that a library is in, and why.
var sharedTechnologies = map[string][]string{
	"google.golang.org/grpc":        {"internal/accesslogservice", "test/benchgateway/emptyextproc"}, // a service of the same server; what it is measured by
	"github.com/envoyproxy/":        {"test/benchgateway/emptyextproc"},                              // as above
	"golang.org/x/term":             {"cmd/seshat"},                                                  // whether standard input is a terminal
	"github.com/andybalholm/brotli": {"internal/ingest"},                                             // the coding of a message, and of a file
	"github.com/nats-io/":           {"internal/natsjournal", "internal/natskv"},                     // the uses of a connection
	"github.com/goccy/go-yaml":      {"internal/resource/ruletest"},                                  // rules, and the tests of rules
}

// impure are packages of the standard library that engines, being functions of their arguments, have no use for.
var impure = []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "math/rand", "math/rand/v2", "syscall", "database/sql"}

// keepers are engines that may use a part of what is impure all the same.
var keepers = map[string][]string{
	"internal/protect": {"os"}, // the file of the digest key
}

// source is one Go file of the module.
type source struct {
	file    string // from the root, with slashes
	folder  string
	syntax  *ast.File
	test    bool
	lines   int
	imports []string
}

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "bin") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && name != "." {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		syntax, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s := source{
			file: filepath.ToSlash(name), folder: path.Dir(filepath.ToSlash(name)), syntax: syntax,
			test: strings.HasSuffix(name, "_test.go"), lines: countLines(t, name),
		}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 100 {
		t.Fatalf("only %d Go files were found: this test looks at the wrong place", len(out))
	}
	return out
}

func countLines(t *testing.T, name string) int {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	n := 0
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		n++
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// inside returns the folder of a package of this module.
func inside(imported string) (string, bool) {
	if imported == modulePath {
		return ".", true
	}
	return strings.CutPrefix(imported, modulePath+"/")
}

// TestImportsPointOneWay holds the layout to ARCHITECTURE.md: nouns, engines, contracts, pipeline, adapters, command.
func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		from, known := layers[s.folder]
		if !known {
			t.Errorf("%s: the package %s is in no layer; say in layers where it belongs", s.file, s.folder)
			continue
		}
		seen[s.folder] = true
		if s.test && s.folder != scenarios { // tests of a part may look at what they like
			continue
		}
		for _, imported := range s.imports {
			folder, ours := inside(imported)
			if !ours {
				if first, _, _ := strings.Cut(imported, "/"); from == nouns && strings.Contains(first, ".") {
					t.Errorf("%s imports %s: the nouns import the standard library only", s.file, imported)
				}
				continue
			}
			to, known := layers[folder]
			switch {
			case !known:
				t.Errorf("%s imports %s, which is in no layer", s.file, folder)
			case from == outside:
				if !slices.Contains(outsideImports[s.folder], folder) {
					t.Errorf("%s imports %s: tools and scenarios see the program from outside", s.file, folder)
				}
			case to > from:
				t.Errorf("%s imports %s: that arrow points the wrong way", s.file, folder)
			case to == from && from != engines && !slices.Contains(neighbours[s.folder], folder):
				t.Errorf("%s imports its neighbour %s: adapters and contracts do not know each other", s.file, folder)
			}
		}
	}
	for folder := range layers {
		if !seen[folder] {
			t.Errorf("layers names %s, and there is no such package", folder)
		}
	}
}

// TestTechnologiesStayBehindTheirAdapter checks that SQL, NATS and the rest are known to one package each.
func TestTechnologiesStayBehindTheirAdapter(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, imported := range s.imports {
			for beginning, home := range technologies {
				if !strings.HasPrefix(imported, beginning) || s.folder == home || slices.Contains(sharedTechnologies[beginning], s.folder) {
					continue
				}
				t.Errorf("%s imports %s: only %s does", s.file, imported, home)
			}
		}
	}
}

// TestEnginesArePure checks that engines take time, randomness and input as arguments.
func TestEnginesArePure(t *testing.T) {
	for _, s := range sources(t) {
		if of, known := layers[s.folder]; s.test || !known || of > engines {
			continue
		}
		for _, imported := range s.imports {
			if slices.Contains(impure, imported) && !slices.Contains(keepers[s.folder], imported) {
				t.Errorf("%s imports %s: an engine is a function of its arguments", s.file, imported)
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := call.X.(*ast.Ident); ok && from.Name == "time" && (call.Sel.Name == "Now" || call.Sel.Name == "Since") {
				t.Errorf("%s uses time.%s: an engine gets the time as an argument", s.file, call.Sel.Name)
			}
			return true
		})
	}
}

// TestShape checks what keeps a reader's way short: small files, folders named after concepts, no hidden start.
func TestShape(t *testing.T) {
	const most = 500 // lines: more than one idea, however long its table is
	for _, s := range sources(t) {
		if !s.test && s.lines > most && !strings.HasSuffix(s.file, "_templ.go") { // those are generated
			t.Errorf("%s has %d lines: more than %d is more than one idea", s.file, s.lines, most)
		}
		switch name := s.syntax.Name.Name; name {
		case "util", "utils", "common", "helper", "helpers", "model", "models", "types", "misc", "shared":
			t.Errorf("%s: the package name %s says nothing", s.file, name)
		}
		for _, declaration := range s.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: what runs is called from run", s.file)
			}
		}
	}
}
