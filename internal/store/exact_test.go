package store_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// eachKind is [prepared] and a database in memory.
func eachKind(t *testing.T, test func(t *testing.T, s *store.Store, svc *service.Service)) {
	t.Helper()
	prepared(t, func(t *testing.T, s *store.Store, svc *service.Service, _ string) { test(t, s, svc) })
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		s := storetest.Open(t, store.Config{Database: ":memory:"})
		require.NoError(t, s.Migrate(t.Context()))
		test(t, s, newService(t, s))
	})
}

func TestJSON_staysAsItIs(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, s *store.Store, svc *service.Service) {
		for _, text := range []string{
			"12345678901234567890", "-0", "1e400", "0.1000", "1E+2", `""`, `"a"`, "true", "[]", "{}", "[ 1,\n\t2 ]",
			`{"b":1,"a":2,"b":3}`, `"\u00e9\/\n"`, `"é 仕事 😀"`, `"\ud83d\ude00"`, `"2024-01-01T00:00:00Z"`, `"1"`, `" null"`,
			"  {\"spaces\" :  1}\r\n", `{"?":"$1 @name ' \" \\ --"}`, strings.Repeat("[", 400) + strings.Repeat("]", 400),
			`"` + strings.Repeat("x", 1<<20) + `"`,
		} {
			created, err := svc.CreateJob(t.Context(), service.NewJob{Type: "a", Input: models.JSON(text)})
			require.NoError(t, explained(err), text)
			require.Equal(t, text, string(created.Input))
			jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
			require.NoError(t, explained(err))
			require.Equal(t, text, string(jobs[0].Input), "acquired")
			_, err = svc.Finish(t.Context(), service.Finish{ID: created.ID, Attempt: ptr(1), Status: models.JobSuccessful, Output: models.JSON(text)})
			require.NoError(t, explained(err))
			list, err := svc.Jobs(t.Context(), service.JobFilter{Page: service.Page{Order: "-id", Limit: 1}})
			require.NoError(t, explained(err))
			require.Equal(t, text, string(list.Items[0].Output), "listed")
		}
		created, err := svc.CreateJob(t.Context(), service.NewJob{Type: "a"})
		require.NoError(t, err)
		require.Nil(t, created.Input, "no JSON is null")
	})
}

func TestTime_isKeptToTheMillisecond(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, s *store.Store, svc *service.Service) {
		kathmandu := time.FixedZone("Asia/Kathmandu", 5*3600+45*60)
		for _, at := range []time.Time{
			time.Date(2024, 2, 29, 23, 59, 59, 999e6, time.UTC), time.Date(2024, 1, 1, 0, 0, 0, 0, kathmandu),
			time.Date(1969, 12, 31, 23, 59, 59, 1e6, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
			time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 1, 12, 0, 0, 120e6, time.Local),
		} {
			created, err := svc.CreateJob(t.Context(), service.NewJob{Type: "a", StartAfter: &at})
			require.NoError(t, explained(err), at)
			read, err := svc.Job(t.Context(), created.ID)
			require.NoError(t, explained(err))
			require.Equal(t, at.UTC(), *read.StartAfter)
			require.Equal(t, created.Job, read)
		}
		jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Count: 10})
		require.NoError(t, explained(err))
		require.Len(t, jobs, 5, "all but the year 9999 have passed")
	})
}

func TestTime_isTheDatabasesInMilliseconds(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, s *store.Store, svc *service.Service) {
		now := func() (at time.Time) {
			require.NoError(t, s.Read(t.Context(), func(tx *store.Tx) (err error) {
				at, err = tx.Time()
				return err
			}))
			return at
		}
		before := now()
		job := create(t, svc, "a")
		after := now()
		require.WithinRange(t, job.CreatedAt, before, after)
		require.Equal(t, job.CreatedAt, job.UpdatedAt)
		require.Zero(t, job.CreatedAt.Nanosecond()%1e6)
		require.Equal(t, time.UTC, job.CreatedAt.Location())

		require.NoError(t, s.Write(t.Context(), func(tx *store.Tx) error {
			batches := make([]models.Batch, 3)
			at, err := tx.Time()
			require.NoError(t, err)
			for i := range batches {
				require.NoError(t, tx.InsertBatch(&batches[i]))
				require.Equal(t, at, batches[i].CreatedAt, "a transaction has one now")
			}
			return nil
		}))
		s.SetClock(36 * time.Hour)
		require.WithinRange(t, now(), before.Add(36*time.Hour), after.Add(37*time.Hour))
		s.SetClock(-36 * time.Hour)
		require.WithinRange(t, create(t, svc, "a").CreatedAt, before.Add(-36*time.Hour), after.Add(-35*time.Hour))
	})
}

func TestNumbers_areKeptAtTheirBounds(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, s *store.Store, svc *service.Service) {
		for _, n := range []int{math.MinInt32, -1, 0, math.MaxInt32} {
			created, err := svc.CreateJob(t.Context(), service.NewJob{Type: "a", PriorityLevel: &n, IsRecoverable: n > 0, IsHighFrequency: n < 0})
			require.NoError(t, explained(err))
			read, err := svc.Job(t.Context(), created.ID)
			require.NoError(t, explained(err))
			require.Equal(t, n, read.PriorityLevel)
			require.Equal(t, n > 0, read.IsRecoverable)
			require.Equal(t, n < 0, read.IsHighFrequency)
			require.Equal(t, created.Job, read)
		}
	})
}

func TestText_isKeptInEveryLanguage(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, s *store.Store, svc *service.Service) {
		for _, text := range []string{
			"a", " a ", "é", "e\u0301", "仕事", "😀", `'"\` + "`", "a\tb\nc", "\u202e", strings.Repeat("ü", models.MaxText),
			"0", "1.0", "1e5", "true", "null", "2024-01-01", "2024-01-01 00:00:00.000+00:00", "-- ?", "\x7f",
		} {
			in := service.NewJob{Type: text, Name: &text, JobUniqueID: &text}
			created, err := svc.CreateJob(t.Context(), in)
			require.NoError(t, explained(err), "%q", text)
			require.False(t, created.Existed, "%q", text)
			require.Equal(t, text, created.Type)
			require.Equal(t, text, *created.Name)
			jobs, err := svc.Acquire(t.Context(), service.Acquire{Types: []string{text}, WorkerID: &text})
			require.NoError(t, explained(err))
			require.Len(t, jobs, 1, "%q", text)
			require.Equal(t, text, *jobs[0].WorkerID)
		}
	})
}
