package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// mixed makes jobs of every status, of three types.
func (f fixture) mixed() {
	f.t.Helper()
	for i := range 30 {
		typ := fmt.Sprint("type ", i%3)
		for _, status := range models.JobStatuses {
			f.create(service.NewJob{Type: typ, Status: status, Name: ptr(fmt.Sprint("name ", i))})
		}
		f.create(service.NewJob{Type: typ, StartAfter: ptr(time.Now().Add(time.Hour))})
	}
}

// looks reads all pages of a look.
func (f fixture) looks(filter service.JobFilter, within time.Duration) (ids []int64, pages int) {
	f.t.Helper()
	for {
		found, err := f.LookWithin(f.t.Context(), filter, within)
		require.NoError(f.t, err)
		for i := range found.Items {
			ids = append(ids, found.Items[i].ID)
		}
		if pages++; found.NextCursor == "" {
			require.False(f.t, found.Further)
			return ids, pages
		}
		filter.Cursor = found.NextCursor
	}
}

// lists reads all pages of a list.
func (f fixture) lists(filter service.JobFilter) (ids []int64) {
	f.t.Helper()
	for {
		list, err := f.Jobs(f.t.Context(), filter)
		require.NoError(f.t, err)
		for i := range list.Items {
			ids = append(ids, list.Items[i].ID)
		}
		if list.NextCursor == "" {
			return ids
		}
		filter.Cursor = list.NextCursor
	}
}

func TestLook_findsWhatTheListHas(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.mixed()
		require.NoError(t, f.DeleteJob(t.Context(), f.queue("type 1").ID))
		hour := ptr(time.Now().Add(-time.Hour))
		filters := []service.JobFilter{
			{}, {Type: []string{"type 1"}}, {Text: "name 7"}, {CreatedFrom: hour}, {CreatedTo: hour}, {EndedFrom: hour, Type: []string{"type 2"}},
			{Status: models.JobStatuses}, {Status: []models.JobStatus{models.JobFailed, models.JobQueued}, Type: []string{"type 0", "type 1"}},
			{Status: []models.JobStatus{models.JobQueued, models.JobPlanned, models.JobProcessing}}, {Text: "nothing"}, {ID: []int64{3, 9, 4000}},
		}
		for _, status := range models.JobStatuses {
			filters = append(filters, service.JobFilter{Status: []models.JobStatus{status}}, service.JobFilter{Status: []models.JobStatus{status}, Type: []string{"type 2"}})
		}
		for range 2 {
			for _, filter := range filters {
				for _, order := range []string{"id", "-id", "-createdAt", "type"} {
					filter.Page = models.Page{Order: order, Limit: 7}
					got, _ := f.looks(filter, time.Minute)
					require.Equal(t, f.lists(filter), got, "%+v", filter)
				}
			}
			for i := range 40 { // of more priorities than are put together
				f.create(service.NewJob{Type: fmt.Sprint("type ", i%3), PriorityLevel: ptr(i - 20)})
			}
		}
		_, err := f.LookForJobs(t.Context(), service.JobFilter{Page: models.Page{Cursor: "nonsense"}})
		require.ErrorIs(t, err, models.ErrInvalid)

		for i := range 20 {
			_, err := f.CreatePipeline(t.Context(), service.NewPipeline{Name: ptr(fmt.Sprint("p", i)), Steps: steps([]string{"x"})})
			require.NoError(t, err)
			if i%2 == 0 {
				_, err = f.CancelPipeline(t.Context(), int64(i+1))
				require.NoError(t, err)
			}
		}
		for _, status := range models.PipelineStatuses {
			filter := models.PipelineFilter{Status: []models.PipelineStatus{status}, Page: models.Page{Order: "-id", Limit: 50}}
			list, err := f.Pipelines(t.Context(), filter)
			require.NoError(t, err)
			found, err := f.LookForPipelines(t.Context(), filter)
			require.NoError(t, err)
			require.Equal(t, list, found.List, status)
		}
	})
}

func TestLook_goesOn(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		many := make([]service.NewJob, 9000)
		for i := range many {
			many[i] = service.NewJob{Type: "a", Status: models.JobSuccessful}
			if i%1500 == 3 {
				many[i].Type = "b"
			}
		}
		_, err := f.CreateJobs(t.Context(), many)
		require.NoError(t, err)
		for _, order := range []string{"id", "-id"} {
			filter := service.JobFilter{Type: []string{"b"}, Page: models.Page{Order: order, Limit: 4}}
			want := f.lists(filter)
			require.Len(t, want, 6)
			got, pages := f.looks(filter, 0)
			require.Equal(t, want, got)
			require.Greater(t, pages, 3, "each looked at few")
			_, pages = f.looks(filter, time.Minute)
			require.Equal(t, 2, pages)
		}
	})
}

// When not even the first of what is to be looked at can be looked at in time, less is.
func TestLook_getsSomewhere(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f.mixed()
		var steps []int64
		long := func(tx *store.Tx) error {
			_, err := tx.CountJobs([]store.Condition{{SQL: `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n) > 0`}})
			return err
		}
		overdue, err := f.Look(t.Context(), func(tx *store.Tx, step int64) (string, error) {
			steps = append(steps, step)
			if step == 0 {
				return "", long(tx)
			}
			return "somewhere", long(tx)
		})
		require.NoError(t, err)
		require.True(t, overdue)
		require.Equal(t, []int64{0, 1}, steps)
		_, err = f.Look(t.Context(), func(tx *store.Tx, _ int64) (string, error) { return "", long(tx) })
		require.ErrorIs(t, err, models.ErrUnavailable)

		list := f.lists(service.JobFilter{Page: models.Page{Order: "-id", Limit: 500}})
		require.NoError(t, f.store.Read(t.Context(), func(tx *store.Tx) error {
			page := store.Page{Column: "id", Desc: true, Limit: 500}
			found, err := tx.LookForJobs(store.Look{Page: page, Step: 1})
			require.Len(t, found.Items, 1, "the smallest step")
			require.True(t, found.Further)
			page.Cursor = found.NextCursor
			rest, err2 := tx.LookForJobs(store.Look{Page: page, Step: 1, Within: time.Minute})
			require.NoError(t, err2)
			require.Len(t, rest.Items, len(list)-1)
			return err
		}))
	})
}

func TestMatching_countsInTime(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		m, err := f.CountMatching(t.Context(), service.JobFilter{})
		require.NoError(t, err)
		require.Equal(t, service.Matching{}, m)
		many := make([]service.NewJob, 5000)
		for i := range many {
			many[i] = service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON(`{"error":"no"}`)}
			if i%2 == 0 {
				many[i] = service.NewJob{Type: "b"}
			}
		}
		_, err = f.CreateJobs(t.Context(), many)
		require.NoError(t, err)
		f.mixed()
		alike := service.JobFilter{Error: "no", Type: []string{"a"}}
		for _, filter := range []service.JobFilter{
			{}, {Type: []string{"b"}}, {Status: []models.JobStatus{models.JobQueued}}, {Status: []models.JobStatus{models.JobPlanned}},
			{Status: []models.JobStatus{models.JobFailed, models.JobProcessing}}, {Status: []models.JobStatus{models.JobCancelled}}, {Text: "name 7"}, alike,
		} {
			filter.Total = true
			list, err := f.Jobs(t.Context(), filter)
			require.NoError(t, err)
			m, err := f.MatchingWithin(t.Context(), filter, time.Minute)
			require.NoError(t, err)
			require.Equal(t, service.Matching{Count: *list.Total, Newest: 5240}, m, "%+v", filter)
			m, err = f.MatchingWithin(t.Context(), filter, 0)
			require.NoError(t, err)
			if len(filter.Status) == 1 && !filter.Status[0].Ended() {
				require.Equal(t, service.Matching{Count: *list.Total, Newest: 5240}, m, "few have not ended")
				continue
			}
			require.True(t, m.More, "%+v", filter)
			require.LessOrEqual(t, m.Count, int64(2000))
		}
		_, err = f.CountMatching(t.Context(), service.JobFilter{Status: []models.JobStatus{"odd"}})
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}

func TestMatching_comesToEachOnce(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		f := node(t, store.Config{Database: database}, service.Options{})
		for range 10 { // ranges of ids that are looked at one by one
			f.mixed()
		}
		f.create(service.NewJob{Type: "type 1", Status: models.JobFailed, Output: models.JSON(`{"error":"no 1"}`)})
		storetest.Exec(t, storetest.SQL(t, database), `UPDATE job SET "createdAt" = '2020-01-01 00:00:00.000+00:00', "endedAt" = '2020-01-01 00:00:00.000+00:00' WHERE id > 1000 AND id % 7 = 0`,
			`UPDATE job SET output = '{"error":"no 2"}' WHERE status = 'failed' AND id % 3 = 0`)
		hour := ptr(time.Now().Add(-time.Hour))
		filters := []service.JobFilter{
			{}, {CreatedTo: hour}, {CreatedFrom: hour}, {EndedTo: hour, Type: []string{"type 2"}}, {Error: "no ?", Type: []string{"type 1"}},
			{Error: "no ?", CreatedTo: hour}, {Text: "name 7"}, {Text: "nothing"}, {Status: []models.JobStatus{models.JobQueued, models.JobPlanned}},
			{Status: []models.JobStatus{models.JobSuccessful, models.JobQueued}, CreatedTo: hour},
		}
		for i, filter := range filters {
			filter.Page = models.Page{Order: "-createdAt", Limit: 50}
			all := filter
			all.Order = "id"
			want := f.lists(all)
			m, err := f.CountMatching(t.Context(), filter)
			require.NoError(t, err)
			f.mixed() // what comes later is not of them
			for _, within := range []time.Duration{time.Minute, 0} {
				var got []int64
				for {
					found, err := f.NextWithin(t.Context(), filter, m.Newest, within)
					require.NoError(t, err)
					for _, job := range found.Items {
						if got = append(got, job.ID); within == 0 && len(got)%40 == 1 {
							_ = f.DeleteJob(t.Context(), job.ID) // which changes what matches
						}
					}
					if filter.Cursor = found.NextCursor; filter.Cursor == "" {
						break
					}
				}
				require.Equal(t, want, got, "%d: %+v", i, filter)
			}
		}
		none, err := f.NextMatching(t.Context(), service.JobFilter{}, 0)
		require.NoError(t, err)
		require.Equal(t, []models.Job{}, none.Items)
		require.Empty(t, none.NextCursor)
		_, err = f.NextMatching(t.Context(), service.JobFilter{Page: models.Page{Cursor: "nonsense"}}, 9)
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}

func TestGlance_countsAsStatsDo(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		empty, err := f.Glance(t.Context())
		require.NoError(t, err)
		require.Empty(t, empty.Types)
		f.mixed()
		f.acquireWith(service.Acquire{Types: []string{"type 1"}, WorkerID: ptr("w")})
		_, err = f.Hold(t.Context(), "type 2")
		require.NoError(t, err)
		f.later(5 * time.Second)
		stats, err := f.Stats(t.Context())
		require.NoError(t, err)
		glance, err := f.Glance(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, glance.Workers)
		require.Nil(t, glance.EndedAt)
		require.Nil(t, glance.OpenAt)
		require.Len(t, glance.Types, 3)
		for i, typ := range glance.Types {
			want := stats.Types[i]
			require.InDelta(t, *want.OldestQueuedSecs, *typ.OldestQueuedSecs, 10)
			typ.OldestQueuedSecs = want.OldestQueuedSecs
			require.Equal(t, want, typ)
		}
	})
}

func TestGlance_saysOfWhen(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		counts := func() (*models.Glance, int64, int64) {
			glance, err := f.Glance(t.Context())
			require.NoError(t, err)
			if len(glance.Types) == 0 {
				return glance, 0, 0
			}
			return glance, glance.Types[0].Counts[models.JobQueued], glance.Types[0].Counts[models.JobSuccessful]
		}
		f.queue("a")
		f.queue("a")
		f.do("a", models.JobSuccessful)
		glance, queued, successful := counts()
		require.Nil(t, glance.OpenAt)
		require.Nil(t, glance.EndedAt)
		require.Equal(t, [2]int64{1, 1}, [2]int64{queued, successful})
		f.CountSlowly()
		f.do("a", models.JobSuccessful)
		glance, queued, successful = counts()
		require.NotNil(t, glance.OpenAt)
		require.NotNil(t, glance.EndedAt)
		require.Equal(t, [2]int64{1, 1}, [2]int64{queued, successful}, "as it was then")
		require.Eventually(t, func() bool {
			_, queued, successful := counts()
			return queued == 0 && successful == 2
		}, 20*time.Second, 10*time.Millisecond)
	})
}

// The jobs of a group of failures are found in pieces, too, however little time
// there is, each once.
func TestLook_findsAlikeFailuresInPieces(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		jobs := make([]service.NewJob, 1700)
		for i := range jobs {
			jobs[i] = service.NewJob{Type: "a", Status: models.JobFailed, Output: models.JSON(fmt.Sprintf(`{"error":"no %d"}`, i))}
			if i%10 == 3 {
				jobs[i].Output = models.JSON(`{"error":"other"}`)
			}
		}
		_, err := f.CreateJobs(t.Context(), jobs)
		require.NoError(t, err)
		for _, order := range []string{"id", "-id"} {
			for _, wanted := range []string{"other", "no #"} {
				filter := service.JobFilter{Error: wanted, Page: service.Page{Order: order, Limit: 100}}
				want := f.lists(filter)
				require.Len(t, want, map[string]int{"other": 170, "no #": 1530}[wanted])
				got, pages := f.looks(filter, time.Nanosecond)
				require.Equal(t, want, got)
				require.Greater(t, pages, 3)
			}
		}
	})
}
