package gnj_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const gettingSDL = `
	type got { job: job, waiting: Int!, note: String }
	extend type Root_Mutations { get(how: String): got, must: Int! }`

// get acquires a job and answers it, well or not.
func get(ctx context.Context, tx *service.Service, in struct{ How string }) (any, error) {
	jobs, err := tx.Acquire(ctx, service.Acquire{Types: []string{"a"}})
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"job": jobs[0], "waiting": 0}
	switch in.How {
	case "fails":
		return nil, models.Conflict("not today")
	case "is no JSON":
		return func() {}, nil
	case "has no waiting":
		delete(answer, "waiting")
	case "has a wrong note":
		answer["note"] = 5
	case "has a wrong job":
		answer["job"] = "text"
	case "panics as JSON":
		return panics{}, nil
	case "finishes":
		_, err = tx.Finish(ctx, service.Finish{ID: jobs[0].ID, Status: models.JobSuccessful})
	}
	return answer, err
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("secret") }

func openGetting(t *testing.T, database string) *gnj.Handler {
	options := own(database, "")
	options.Logger = (&logLines{}).logger()
	options.GraphQL = gnj.GraphQL{SDL: gettingSDL, Mutations: map[string]gnj.Mutation{
		"get":  gnj.Resolve(get),
		"must": gnj.Resolve(func(context.Context, *service.Service, struct{}) (*int, error) { return nil, nil }),
	}}
	return open(t, options)
}

// requireWaiting: the job waits again, without an attempt spent.
func requireWaiting(t *testing.T, jobs *gnj.Handler, id int64, how string) {
	t.Helper()
	now, err := jobs.Service().Job(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, models.JobQueued, now.Status, how)
	require.Zero(t, now.Spent(), how)
}

// What a host's mutation acquired for a client that hears of it or not.
func TestHostMutations_giveBackWhatCouldNotBeDelivered(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := openGetting(t, database)
		job := createJob(t, jobs)
		for name, w := range undelivered() {
			serveGone(t, jobs, w, job.ID, `mutation { get { job { id } } }`)
			requireWaiting(t, jobs, job.ID, name)
		}
		answer := serveHTTP(t, jobs).query(`mutation { get { job { id } waiting } }`, "")
		require.Equal(t, `{"data":{"get":{"job":{"id":1},"waiting":0}}}`+"\n", answer.text)
		now, err := jobs.Service().Job(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, models.JobProcessing, now.Status, "it was delivered")
		require.Equal(t, 1, now.Spent())
	})
}

// An answer with an error in it tells of no job, and keeps none.
func TestHostMutations_giveBackWhatTheyCannotTellOf(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := openGetting(t, database)
		job := createJob(t, jobs)
		s := serveHTTP(t, jobs)
		for _, how := range []string{"fails", "is no JSON", "has no waiting", "has a wrong note", "has a wrong job", "panics as JSON"} {
			answer := s.query(`mutation($how: String) { get(how: $how) { job { id } waiting note } }`, `{"how": "`+how+`"}`)
			require.Len(t, answer.Errors, 1, answer.text)
			require.Equal(t, map[string]any{"get": nil}, answer.Data, how)
			requireWaiting(t, jobs, job.ID, how)
		}
	})
}

func TestHostMutations_giveBackWhatIsNulledWithTheRest(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := openGetting(t, database)
		job := createJob(t, jobs)
		s := serveHTTP(t, jobs)
		for _, mutation := range []string{
			`mutation { get { job { id } waiting } must }`,
			`mutation { must get { job { id } waiting } }`,
			`mutation { acquireJob(typeList: ["a"]) { id } must }`,
		} {
			answer := s.query(mutation, "")
			require.Contains(t, answer.text, `"data":null`)
			requireWaiting(t, jobs, job.ID, mutation)
		}
	})
}

// What has ended before the answer is lost stays as it is.
func TestHostMutations_leaveWhatTheyFinished(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		jobs := openGetting(t, database)
		job := createJob(t, jobs)
		serveHTTP(t, jobs).query(`mutation { get(how: "finishes") { job { id } } must }`, "")
		now, err := jobs.Service().Job(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, models.JobSuccessful, now.Status)
	})
}
