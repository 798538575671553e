package gnj

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/teamstarter/gnj/internal/graph"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// GraphQL adjusts the GraphQL endpoint at /graphql. The zero value works for
// every client of graphql-node-jobs.
type GraphQL struct {
	// SDL declares mutations of the application's own, by
	// "extend type Root_Mutations { … }", and the types they need. Names that GNJ has cannot be
	// taken; GNJ's types, such as job, can be used.
	SDL string
	// Mutations resolves what SDL declares, by name. See [Resolve].
	Mutations map[string]Mutation
	// Levels says what the callers of Mutations need, by name, where that is not
	// LevelOperate: see [Options].Authorize.
	Levels map[string]Level

	// HideSchema refuses introspection, does not serve the explorer page, and
	// leaves suggestions out of errors.
	HideSchema bool
	// MaxDepth bounds how deep fields may nest. Default 20.
	MaxDepth int
	// MaxComplexity bounds the fields of an operation, of which those of a list
	// within a list count ten times, and with it the length of its text. Default 10,000.
	MaxComplexity int
	// MaxAliases bounds the fields of an operation that are given another name,
	// and with it how often one operation can ask for the same. Default 250.
	MaxAliases int
	// MaxRows bounds the rows of an answer, those of all its lists together; for
	// more a client pages by limit and offset. Default 100,000.
	MaxRows int
}

// Mutation resolves a mutation of the application's own. tx is the service in
// one transaction, which is committed when the mutation answers no error; so it
// should change nothing outside of tx, and may be run again when the
// database gives a transaction up. args is a JSON object. The answer is encoded as JSON; its fields
// are those of the mutation's type, and a models.Job or its like answers a job with all its fields.
// What a client asks of related rows is read at once for a list of these, such
// as [job], but for each by itself that a type of the application's own holds.
//
// An error made by package models (models.Invalid, models.Conflict …) reaches
// the client with its message; any other is hidden behind an id in the log.
type Mutation func(ctx context.Context, tx *service.Service, args json.RawMessage) (any, error)

// Resolve makes a [Mutation] of a function with types of its own: args are
// decoded into In, a struct with the arguments as fields.
func Resolve[In, Out any](fn func(ctx context.Context, tx *service.Service, in In) (Out, error)) Mutation {
	return func(ctx context.Context, tx *service.Service, args json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(args, &in); err != nil {
			return nil, fmt.Errorf("decode the arguments: %w", err)
		}
		return fn(ctx, tx, in)
	}
}

// The default limits of an operation.
const (
	defaultMaxDepth      = 20
	defaultMaxComplexity = 10_000
	defaultMaxAliases    = 250
	defaultMaxRows       = 100_000
)

// filled returns the settings with every default filled in, or what is wrong with them.
func (g GraphQL) filled() (GraphQL, error) {
	for _, limit := range []struct {
		name  string
		value *int
		or    int
	}{
		{"MaxDepth", &g.MaxDepth, defaultMaxDepth},
		{"MaxComplexity", &g.MaxComplexity, defaultMaxComplexity},
		{"MaxAliases", &g.MaxAliases, defaultMaxAliases},
		{"MaxRows", &g.MaxRows, defaultMaxRows},
	} {
		if *limit.value < 0 {
			return g, models.Invalid("GraphQL."+limit.name, "must be positive, or 0 for the default of %d, not %d", limit.or, *limit.value)
		}
		if *limit.value == 0 {
			*limit.value = limit.or
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.Levels)) {
		switch {
		case g.Mutations[name] == nil:
			return g, models.Invalid("GraphQL.Levels", "names %s, which is none of Mutations", name)
		case !g.Levels[name].Known():
			return g, models.Invalid("GraphQL.Levels", "must give %s one of the levels, such as gnj.LevelWork", name)
		}
	}
	return g, nil
}

// graphOptions are the settings of the GraphQL door.
func (o Options) graphOptions() graph.Options {
	mutations := make(map[string]graph.Mutation, len(o.GraphQL.Mutations))
	for name, mutation := range o.GraphQL.Mutations {
		mutations[name] = graph.Mutation(mutation)
	}
	return graph.Options{
		MaxBodyBytes: o.MaxBodyBytes, Logger: o.Logger, HideSchema: o.GraphQL.HideSchema,
		SDL: o.GraphQL.SDL, Mutations: mutations, AllowOrigin: o.CORS.allows,
		Admit: o.admit(), Redact: o.Redact, Levels: o.GraphQL.Levels,
		Limits: graph.Limits{
			Depth: o.GraphQL.MaxDepth, Complexity: o.GraphQL.MaxComplexity,
			Aliases: o.GraphQL.MaxAliases, Rows: o.GraphQL.MaxRows,
		},
	}
}
