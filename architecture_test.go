package gnj_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/teamstarter/gnj"

// packages says which of our packages each may import, and why. Arrows go one
// way: doors, service, store, models.
var packages = map[string]struct {
	may    []string
	reason string
}{
	".":                       {[]string{"internal/access", "internal/dashboard", "internal/graph", "internal/mount", "internal/rest", "internal/store", "models", "service"}, "it puts the parts together for a host"},
	"gnjecho":                 {[]string{"."}, "a mount passes requests on; only what hosts see of the handler is needed for that"},
	"models":                  {nil, "the nouns are known to all and know nobody"},
	"gnjtest":                 {[]string{".", "internal/clock", "models"}, "it is one more host, for tests, that may move the clock"},
	"service":                 {[]string{"internal/clock", "internal/store", "models"}, "a rule must not know by which door somebody came"},
	"client":                  {[]string{"internal/wire", "models"}, "a program on another machine links no database"},
	"worker":                  {[]string{"models"}, "a worker is the same in process and over HTTP, and then links no database"},
	"internal/wire":           {[]string{"models"}, "what goes over the wire is the same at both ends"},
	"internal/store":          {[]string{"models"}, "SQL must not know the rules that use it"},
	"internal/clock":          {nil, "it names what others ask"},
	"internal/mount":          {nil, "the mount point is all that the handler and the doors share"},
	"internal/exchange":       {nil, "a request and its answer are the same behind every door"},
	"internal/access":         {[]string{"models", "service"}, "who may do what is the same at every door"},
	"internal/graph":          {[]string{"internal/access", "internal/exchange", "internal/graph/explorer", "internal/mount", "models", "service"}, "a door decodes, calls the service, encodes; it never reaches the store"},
	"internal/graph/explorer": {nil, "a page knows the address it asks, and nothing behind it"},
	"internal/rest":           {[]string{"internal/access", "internal/exchange", "internal/mount", "internal/wire", "models", "service"}, "a door decodes, calls the service, encodes; it never reaches the store"},
	"internal/dashboard":      {[]string{"internal/access", "internal/exchange", "internal/mount", "models", "service"}, "a door decodes, calls the service, encodes; it never reaches the store"},
	"internal/bench":          {[]string{".", "internal/store", "models", "service", "worker"}, "it measures what hosts use, as they use it; the store says what is wrong with a database"},
	"internal/seed":           {[]string{"internal/store", "models"}, "it lays rows as no verb does, with times that are over"},
	"internal/token":          {[]string{"models"}, "who has a token is asked in front of the handler, which knows of no tokens"},
	"internal/cli":            {[]string{".", "internal/bench", "internal/seed", "internal/store", "internal/token", "models", "service"}, "the standalone server is one more host; what cares for a database needs the store, because there is nothing to serve"},
	"cmd/gnj":                 {[]string{"internal/cli"}, "a program is a few lines over its package"},
	"internal/storetest":      {[]string{"internal/store"}, "it makes databases, for tests"},
	"internal/nodetest":       {nil, "it is tests only"},
	"internal/browsertest":    {nil, "it is tests only"},
	"internal/chaos":          {nil, "it is tests only"},
	"examples/stdlib":         {public, "an example imports what any host can"},
	"examples/echo":           {public, "an example imports what any host can"},
	"examples/worker":         {public, "an example imports what any host can"},
	"examples/pipeline":       {public, "an example imports what any host can"},
}

// public is what a host can import. Everything else is internal, or a program.
var public = []string{".", "client", "gnjecho", "gnjtest", "models", "service", "worker"}

// libraries says which packages may import a library of others; tests may
// besides import what they need.
var libraries = map[string]struct {
	in     []string
	reason string
}{
	"github.com/labstack/echo":        {[]string{"gnjecho", "examples/echo"}, "who does not use Echo must not build it, and its next version is one more package"},
	"github.com/danielgtaylor/huma":   {[]string{"internal/rest"}, "how REST is described is the door's own affair"},
	"github.com/99designs/gqlgen":     {[]string{"internal/graph"}, "how GraphQL is executed is the door's own affair"},
	"github.com/vektah/gqlparser":     {[]string{"internal/graph"}, "how GraphQL is executed is the door's own affair"},
	"github.com/rs/cors":              {[]string{"."}, "who may call is asked once, in front of every door"},
	"github.com/coder/websocket":      {[]string{"internal/graph"}, "only the GraphQL door keeps connections"},
	"github.com/cenkalti/backoff":     {[]string{"client", "worker"}, "only who calls a server that may be away tries again"},
	"github.com/alecthomas/kong":      {[]string{"internal/cli"}, "flags are of the command only"},
	"github.com/hashicorp/golang-lru": {[]string{"internal/token"}, "only who was let in, or tried to be, is forgotten by how long ago it was"},
	"github.com/mattn/go-isatty":      {[]string{"internal/cli"}, "only the command has a terminal"},
	"github.com/schollz":              {[]string{"internal/cli"}, "only the command has a terminal"},
	"github.com/jackc/pgx":            {[]string{"internal/bench", "internal/store", "internal/storetest"}, "all SQL is in the store; a bench counts statements and makes its own database"},
	"github.com/mattn/go-sqlite3":     {[]string{"internal/store"}, "only the store opens databases"},
	"modernc.org/sqlite":              {[]string{"internal/store"}, "only the store opens databases"},
	"gorm.io/driver":                  {[]string{"internal/bench", "internal/store", "internal/storetest", "examples/stdlib", "examples/echo"}, "only the store and hosts open databases"},
	"gorm.io/gorm":                    {[]string{".", "service", "internal/bench", "internal/store", "internal/storetest", "examples/stdlib", "examples/echo"}, "outside of the store it is only what a host hands over: its database, its transaction"},
	"database/sql":                    {[]string{"internal/bench", "internal/store", "internal/storetest", "models"}, "all SQL is in the store; a bench lays and counts rows as no verb does, models only name how a JSON column is read"},
	"net/http":                        {[]string{".", "client", "gnjecho", "internal/access", "internal/dashboard", "internal/exchange", "internal/graph", "internal/graph/explorer", "internal/rest", "internal/bench", "internal/cli", "internal/token", "examples/stdlib", "examples/echo", "examples/worker", "examples/pipeline"}, "rules and rows must not know that there is HTTP"},
	"testing":                         {[]string{"gnjtest", "internal/storetest"}, "it would add its flags to the host's program"},
	"github.com/stretchr/testify":     {[]string{"internal/storetest"}, "it is for tests"},
	"github.com/prometheus":           {nil, "default registries are the host's"},
	"log":                             {nil, "the host chose a log/slog logger"},
}

func TestArchitecture_arrowsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		known, found := packages[f.dir]
		assert.True(t, found, "%s: say in architecture_test.go what package %s may import, and why", f.path, f.dir)
		if f.test {
			continue // a test may know more than what it tests
		}
		for _, imported := range f.ours() {
			assert.Contains(t, known.may, imported, "%s imports %s, but: %s", f.path, imported, known.reason)
		}
	}
}

func TestArchitecture_librariesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			for name, library := range libraries {
				if imported == name || name != "log" && strings.HasPrefix(imported, name+"/") {
					assert.Contains(t, library.in, f.dir, "%s imports %s, but: %s", f.path, imported, library.reason)
				}
			}
		}
	}
}

func TestArchitecture_hostsImportFewPackages(t *testing.T) {
	t.Parallel()
	var importable []string
	for _, f := range sources(t) {
		hidden := strings.HasPrefix(f.dir, "internal/") || f.syntax.Name.Name == "main"
		if !f.test && !hidden && !slices.Contains(importable, f.dir) {
			importable = append(importable, f.dir)
		}
	}
	assert.ElementsMatch(t, public, importable, "what a host can import must stay as it is for ever")
}

// limited are calls that have few places, each with its reason.
var limited = []struct {
	calls   []string
	because string
	allowed map[string]string // by file, or directory with a slash at the end
}{
	{
		[]string{"os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln"}, "the process is the host's",
		map[string]string{
			"cmd/gnj/":  "the process is ours",
			"examples/": "the process is the example's",
		},
	},
	{
		[]string{"panic", "log.Panic", "log.Panicf"}, "no panic crosses the border to the host",
		map[string]string{
			"access.go":                     "passes on how net/http itself cuts a connection",
			"internal/exchange/exchange.go": "passes on how net/http itself cuts a connection",
			"internal/graph/generated.go":   "faults of what is generated; the door answers them as internal errors",
			"internal/rest/operation.go":    "an answer that cannot be encoded; the door answers 500",
			"internal/rest/openapi.go":      "a fault of ours that every test meets",
			"internal/rest/docs.go":         "a fault of ours that every test meets",
			"internal/store/table.go":       "a fault of ours that every test meets",
		},
	},
	{
		[]string{"time.Now", "time.Since", "time.Until"}, "all times are the database's; a node's clock decides nothing",
		map[string]string{
			"service/presence.go":           "how long ago a worker was seen, which no rule looks at",
			"service/service.go":            "whether the background work of this process is alive",
			"service/census.go":             "how long a count took, and when the next may be made",
			"service/front.go":              "how long a look took, and when the next may be made",
			"service/rescue.go":             "how long a look took, and how much the next one need look at",
			"service/failures.go":           "how long a page may look",
			"service/aliked.go":             "how long a page may look",
			"internal/store/look.go":        "how long a page may look",
			"internal/store/transact.go":    "how long to try again",
			"internal/store/sqlite.go":      "the database's clock, as SQLite works in this process",
			"internal/exchange/exchange.go": "the deadlines of the host's server",
			"internal/bench/":               "how long things take, which is what it measures",
			"worker/":                       "how long ago a worker asked for its lease, which it must not trust for longer",
		},
	},
	{
		[]string{"context.Background", "context.TODO"}, "whoever asked can stop it",
		map[string]string{
			"handler.go":               "New takes no context, and begins what Close ends",
			"service/service.go":       "the background work, which Close ends",
			"internal/store/table.go":  "GORM wants one and waits for nothing",
			"internal/store/sqlite.go": "the end of a transaction must not be left out",
			"internal/cli/":            "a program begins with one",
			"internal/storetest/":      "cleaning up after a test's own context ended",
			"examples/":                "a program begins with one",
		},
	},
}

func TestArchitecture_callsThatHaveFewPlaces(t *testing.T) {
	t.Parallel()
	all := sources(t)
	for _, limit := range limited {
		unused := maps.Clone(limit.allowed)
		for _, f := range all {
			if f.test {
				continue
			}
			f.calls(func(name string, line int) {
				if !slices.Contains(limit.calls, name) {
					return
				}
				place, found := f.path, false
				if _, found = limit.allowed[place]; !found {
					place, found = within(limit.allowed, f.path)
				}
				assert.True(t, found, "%s:%d calls %s, but: %s", f.path, line, name, limit.because)
				delete(unused, place)
			})
		}
		assert.Empty(t, unused, "%v is not called there any more: remove the exception", limit.calls)
	}
}

// within returns the directory of the list that a file is in.
func within(list map[string]string, file string) (string, bool) {
	for place := range list {
		if strings.HasSuffix(place, "/") && strings.HasPrefix(file, place) {
			return place, true
		}
	}
	return "", false
}

// source is one file of this module.
type source struct {
	path   string // below the root, with slashes
	dir    string // "." for the root
	test   bool
	syntax *ast.File
	set    *token.FileSet
}

// sources parses every Go file, whatever it is built for.
func sources(t *testing.T) []source {
	t.Helper()
	set := token.NewFileSet()
	var all []source
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata" || otherModule(name)):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(name) != ".go":
			return nil
		}
		syntax, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		name = filepath.ToSlash(name)
		all = append(all, source{name, path.Dir(name), strings.HasSuffix(name, "_test.go"), syntax, set})
		return err
	}))
	require.Greater(t, len(all), 50, "the tests run in the root of the module")
	return all
}

// otherModule reports whether a directory is a module of its own, with its own
// dependencies, which no host gets.
func otherModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func (f source) imports() []string {
	paths := make([]string, len(f.syntax.Imports))
	for i, spec := range f.syntax.Imports {
		paths[i], _ = strconv.Unquote(spec.Path.Value)
	}
	return paths
}

// ours are the imported packages of this module, as [packages] names them.
func (f source) ours() []string {
	var list []string
	for _, imported := range f.imports() {
		if imported == module {
			list = append(list, ".")
		} else if name, found := strings.CutPrefix(imported, module+"/"); found {
			list = append(list, name)
		}
	}
	return list
}

// calls visits what a file calls, by name: "panic", "time.Now".
func (f source) calls(visit func(name string, line int)) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch called := call.Fun.(type) {
		case *ast.Ident:
			visit(called.Name, f.line(call))
		case *ast.SelectorExpr:
			if of, ok := called.X.(*ast.Ident); ok {
				visit(of.Name+"."+called.Sel.Name, f.line(call))
			}
		}
		return true
	})
}

func (f source) line(n ast.Node) int { return f.set.Position(n.Pos()).Line }
