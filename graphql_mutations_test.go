package gnj_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const hostSDL = `
	enum Mood { GOOD BAD }
	type taken { job: job, jobs: [job!]!, waiting: Int!, mood: Mood, note: String, at: Date, any: SequelizeJSON }
	extend type Root_Mutations {
		take(typeList: [String], mood: Mood = GOOD): taken
		createThenFail(type: String!): job
		mustAnswer: Int!
		panics: String
		refuses: String
		wrong(what: Int!): taken
	}`

type taken struct {
	Job     *models.Job    `json:"job"`
	Jobs    []models.Job   `json:"jobs"`
	Waiting int64          `json:"waiting"`
	Mood    any            `json:"mood"`
	Note    any            `json:"note"`
	Any     map[string]any `json:"any"`
}

func take(ctx context.Context, tx *service.Service, in struct {
	TypeList []string
	Mood     string
},
) (*taken, error) {
	jobs, err := tx.Acquire(ctx, service.Acquire{Types: in.TypeList})
	if err != nil {
		return nil, err
	}
	waiting, err := service.Count[models.Job](ctx, tx, service.Selection{Where: map[string]any{"status": "queued"}})
	if err != nil {
		return nil, err
	}
	answer := &taken{Jobs: jobs, Waiting: waiting, Mood: in.Mood, Any: map[string]any{"n": json.Number("12345678901234567890")}}
	if len(jobs) > 0 {
		answer.Job = &jobs[0]
	}
	return answer, nil
}

var hostMutations = map[string]gnj.Mutation{
	"take": gnj.Resolve(take),
	"createThenFail": gnj.Resolve(func(ctx context.Context, tx *service.Service, in struct{ Type string }) (*models.Job, error) {
		if _, err := tx.CreateJob(ctx, service.NewJob{Type: in.Type}); err != nil {
			return nil, err
		}
		return nil, models.Conflict("not today")
	}),
	"mustAnswer": gnj.Resolve(func(context.Context, *service.Service, struct{}) (*int, error) { return nil, nil }),
	"panics":     gnj.Resolve(func(context.Context, *service.Service, struct{}) (string, error) { panic("secret") }),
	"refuses":    gnj.Resolve(func(context.Context, *service.Service, struct{}) (string, error) { return "", errors.New("secret") }),
	"wrong": func(_ context.Context, _ *service.Service, args json.RawMessage) (any, error) {
		answers := []any{
			map[string]any{"jobs": []any{}, "waiting": "many"},
			map[string]any{"jobs": nil, "waiting": 1},
			map[string]any{"jobs": []any{nil}, "waiting": 1},
			map[string]any{"jobs": []any{}, "waiting": 1, "mood": "UGLY"},
			map[string]any{"jobs": []any{}, "waiting": 1, "note": 5},
			map[string]any{"jobs": []any{}, "waiting": 1, "job": "text"},
			"text",
			func() {},
		}
		var in struct{ What int }
		err := json.Unmarshal(args, &in)
		return answers[in.What], err
	},
}

func TestHostMutations_areLikeOurs(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		options := own(database, "")
		log := &logLines{}
		options.Logger = log.logger()
		options.GraphQL = gnj.GraphQL{SDL: hostSDL, Mutations: hostMutations}
		jobs, err := gnj.New(options)
		require.NoError(t, err)
		t.Cleanup(func() { _ = jobs.Close() })
		endpoint := serveHTTP(t, inEchoGroup(jobs)).URL + "/gnj/graphql"
		_, err = jobs.Service().CreatePipeline(t.Context(), service.NewPipeline{Steps: []service.NewStep{{Job: &service.NewJob{Type: "a"}}}})
		require.NoError(t, err)
		_, err = jobs.Service().StartPipeline(t.Context(), 1)
		require.NoError(t, err)

		for _, c := range []struct{ name, query, want string }{
			{
				"answers with rows of ours and their relations, between mutations of ours",
				`mutation { first: jobCreate(job: {type: "b"}) { id status }
					taken: take(typeList: ["a"]) { __typename mood waiting any note j: job { ...f } jobs { id } } last: ping { success } }
				fragment f on job { id status createdAt @include(if: false) pipeline { id steps { index } } }`,
				`{"data":{"first":{"id":2,"status":"queued"},"taken":{"__typename":"taken","mood":"GOOD","waiting":1,"any":{"n":12345678901234567890},"note":null,` +
					`"j":{"id":1,"status":"processing","pipeline":{"id":1,"steps":[{"index":1}]}},"jobs":[{"id":1}]},"last":{"success":true}}}`,
			},
			{"may find nothing", `mutation { take(typeList: ["none"], mood: BAD) { job { id } jobs { id } mood } }`, `{"data":{"take":{"job":null,"jobs":[],"mood":"BAD"}}}`},
			{"is rolled back when it fails", `mutation { createThenFail(type: "x") { id } }`, `{"errors":[{"message":"not today","path":["createThenFail"]}],"data":{"createThenFail":null}}`},
			{"null where none may be nulls all", `mutation { ping { success } mustAnswer }`, `{"errors":[{"message":"HIDDEN","path":["mustAnswer"]}],"data":null}`},
			{"hides a panic", `mutation { panics }`, `{"errors":[{"message":"HIDDEN","path":["panics"]}],"data":{"panics":null}}`},
			{"hides an error of unknown kind", `mutation { refuses }`, `{"errors":[{"message":"HIDDEN","path":["refuses"]}],"data":{"refuses":null}}`},
			{"passes on what the service refuses", `mutation { take(typeList: []) { waiting } }`, `{"errors":[{"message":"types must hold 1 to 1000 types, not 0","path":["take"]}],"data":{"take":null}}`},
			{"a number that is none", `mutation { wrong(what: 0) { waiting } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","waiting"]}],"data":{"wrong":null}}`},
			{"no list", `mutation { wrong(what: 1) { jobs { id } } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","jobs"]}],"data":{"wrong":null}}`},
			{"null in a list", `mutation { wrong(what: 2) { jobs { id } } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","jobs",0]}],"data":{"wrong":null}}`},
			{"no value of the enum", `mutation { wrong(what: 3) { mood waiting } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","mood"]}],"data":{"wrong":{"mood":null,"waiting":1}}}`},
			{"no string", `mutation { wrong(what: 4) { note } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","note"]}],"data":{"wrong":{"note":null}}}`},
			{"no row", `mutation { wrong(what: 5) { job { id } } }`, `{"errors":[{"message":"HIDDEN","path":["wrong","job"]}],"data":{"wrong":{"job":null}}}`},
			{"no object", `mutation { wrong(what: 6) { note } }`, `{"errors":[{"message":"HIDDEN","path":["wrong"]}],"data":{"wrong":null}}`},
			{"what is no JSON", `mutation { wrong(what: 7) { note } }`, `{"errors":[{"message":"HIDDEN","path":["wrong"]}],"data":{"wrong":null}}`},
		} {
			answer := masked(graphqlRequest{Query: c.query}.send(t, endpoint), "", "")
			for _, e := range objects(asObject(answer)["errors"]) {
				if text, _ := e["message"].(string); len(text) > 60 && text[:27] == "something went wrong in the" {
					e["message"] = "HIDDEN"
				}
			}
			text, err := json.Marshal(answer)
			require.NoError(t, err)
			assert.JSONEq(t, c.want, string(text), c.name)
		}
		count, err := service.Count[models.Job](t.Context(), jobs.Service(), service.Selection{})
		require.NoError(t, err)
		assert.EqualValues(t, 2, count, "what failed left nothing")
		assert.Contains(t, log.String(), "secret")
	})
}

func TestHostMutations_areRefusedWhenTheyCannotBe(t *testing.T) {
	t.Parallel()
	resolver := gnj.Resolve(func(context.Context, *service.Service, struct{}) (string, error) { return "", nil })
	one := map[string]gnj.Mutation{"mine": resolver}
	for name, c := range map[string]struct {
		sdl       string
		mutations map[string]gnj.Mutation
		want      string
	}{
		"SDL that does not parse":       {`extend type {`, one, "does not parse"},
		"a type we have":                {`type job { id: Int } extend type Root_Mutations { mine: job }`, one, "declares the type job, which GNJ has"},
		"a mutation we have":            {`extend type Root_Mutations { jobCreate: String }`, map[string]gnj.Mutation{"jobCreate": resolver}, "declares the mutation jobCreate, which GNJ has"},
		"a mutation twice":              {`extend type Root_Mutations { mine: String mine: Int }`, one, "mine twice"},
		"a mutation without a resolver": {`extend type Root_Mutations { mine: String other: String }`, one, "no resolver of other"},
		"a resolver without a mutation": {`type a { b: Int }`, one, "resolver of mine, which the SDL does not declare"},
		"a resolver without SDL":        {``, one, "must declare the mutations mine"},
		"a type that is not there":      {`extend type Root_Mutations { mine: nothing }`, one, "nothing"},
		"another root":                  {`extend type Root_Query { mine: String }`, one, "only Root_Mutations can be extended"},
		"one of our types extended":     {`extend type job { mine: String }`, one, "only Root_Mutations can be extended"},
		"a schema of its own":           {`schema { query: q } type q { a: Int } extend type Root_Mutations { mine: String }`, one, "declares a schema"},
		"an interface":                  {`interface i { a: Int } extend type Root_Mutations { mine: i }`, one, "declares the interface i"},
		"an input type as an answer":    {`input i { a: Int } extend type Root_Mutations { mine: i }`, one, "GraphQL.SDL"},
		"an object type as an argument": {`type o { a: Int } extend type Root_Mutations { mine(o: o): String }`, one, "GraphQL.SDL"},
		"a default that does not fit":   {`extend type Root_Mutations { mine(n: Int = "x"): String }`, one, "mine.n: Int cannot represent"},
		"a default that is too long":    {`scalar any input i { n: any = 12345678901234567890 } extend type Root_Mutations { mine(i: i): String }`, one, "i.n: 12345678901234567890 cannot be read"},
		"defaults without end":          {`input i { j: j = {} } input j { i: [i] = [{}] } extend type Root_Mutations { mine(i: i): String }`, one, "without end"},
		"two underscores in front":      {`extend type Root_Mutations { __mine: String }`, map[string]gnj.Mutation{"__mine": resolver}, "GraphQL.SDL"},
		"a resolver that is nil":        {`extend type Root_Mutations { mine: String }`, map[string]gnj.Mutation{"mine": nil}, "no resolver of mine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := t.TempDir() + "/jobs.db"
			_, err := gnj.New(gnj.Options{Database: database, GraphQL: gnj.GraphQL{SDL: c.sdl, Mutations: c.mutations}})
			require.ErrorIs(t, err, models.ErrInvalid)
			require.ErrorContains(t, err, c.want)
			assert.NoFileExists(t, database, "refused before a database is made")
		})
	}
}

func TestGraphQLOptions_areChecked(t *testing.T) {
	t.Parallel()
	_, err := gnj.New(gnj.Options{Database: ":memory:", GraphQL: gnj.GraphQL{MaxDepth: -1}})
	require.ErrorIs(t, err, models.ErrInvalid)
	require.ErrorContains(t, err, "GraphQL.MaxDepth")
}
