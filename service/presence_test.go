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

// workers lists who is there.
func workers(t *testing.T, svc *service.Service, filter models.WorkerFilter) []models.Presence {
	t.Helper()
	list, err := svc.Workers(t.Context(), filter)
	require.NoError(t, err)
	return list
}

func TestWorker_isThereWhileItWorks(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		require.Empty(t, workers(t, f.Service, models.WorkerFilter{}))
		f.queue("b")
		f.queue("b")
		said := &models.Announcement{Types: []string{"a", "b"}, Concurrency: 7, Host: "mill", Version: "v1"}
		job := f.acquireWith(service.Acquire{Types: []string{"b"}, WorkerID: ptr("one"), Announce: said})
		f.acquireWith(service.Acquire{Types: []string{"c", "b"}, WorkerID: ptr("other"), Count: 1})
		f.acquireWith(service.Acquire{Types: []string{"nobody's"}})

		list := workers(t, f.Service, models.WorkerFilter{})
		require.Len(t, list, 2, "by id, without those that have none")
		one, other := list[0], list[1]
		require.Equal(t, "one", one.WorkerID)
		require.Equal(t, *said, one.Announcement)
		require.Len(t, one.Jobs, 1)
		require.Equal(t, models.HeldJob{ID: job.ID, Type: "b", Attempt: 1, Status: models.JobProcessing, StartedAt: job.StartedAt}, one.Jobs[0])
		require.Equal(t, []string{"b", "c"}, other.Types, "those it asked for")
		require.Len(t, other.Jobs, 1)
		require.Equal(t, []models.Presence{other}, workers(t, f.Service, models.WorkerFilter{Type: []string{"c", "x"}}))
		require.Equal(t, []models.Presence{one}, workers(t, f.Service, models.WorkerFilter{WorkerID: []string{"one", "x"}, Type: []string{"b"}}))

		f.later(time.Minute + time.Second)
		require.Empty(t, workers(t, f.Service, models.WorkerFilter{}))
		_, err := f.Report(t.Context(), service.Report{ID: job.ID, Attempt: &job.Attempt})
		require.NoError(t, err)
		back := workers(t, f.Service, models.WorkerFilter{})
		require.Len(t, back, 1)
		require.Equal(t, *said, back[0].Announcement, "a report says nothing of itself, and takes nothing back")

		f.later(time.Minute + time.Second)
		f.finish(job, models.JobSuccessful)
		back = workers(t, f.Service, models.WorkerFilter{})
		require.Len(t, back, 1)
		require.Empty(t, back[0].Jobs)
	})
}

func TestWorker_isThereWhileItWaits(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		got := make(chan error, 1)
		go func() {
			_, err := f.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, WorkerID: ptr("one"), Wait: time.Minute})
			got <- err
		}()
		require.Eventually(t, func() bool { return f.Waiting() == 1 }, 10*time.Second, time.Millisecond)
		require.Len(t, workers(t, f.Service, models.WorkerFilter{}), 1)
		f.later(time.Hour)
		require.Len(t, workers(t, f.Service, models.WorkerFilter{}), 1, "as long as it waits")
		f.queue("a")
		require.NoError(t, <-got)
		f.later(time.Hour)
		require.Len(t, workers(t, f.Service, models.WorkerFilter{}), 1, "it was seen just now")
		f.later(time.Hour)
		require.Empty(t, workers(t, f.Service, models.WorkerFilter{}))
	})
}

func TestWorker_isSeenByOtherNodes(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	one := node(t, store.Config{Database: database}, service.Options{})
	other := node(t, store.Config{Database: database}, service.Options{})
	_, err := one.Acquire(t.Context(), service.Acquire{Types: []string{"a"}, WorkerID: ptr("w")})
	require.NoError(t, err)
	require.Len(t, workers(t, one.Service, models.WorkerFilter{}), 1)
	first := workers(t, other.Service, models.WorkerFilter{})
	require.Len(t, first, 1)

	other.later(30 * time.Second)
	_, err = other.Acquire(t.Context(), service.Acquire{Types: []string{"b"}, WorkerID: ptr("w")})
	require.NoError(t, err)
	now := workers(t, other.Service, models.WorkerFilter{})
	require.Len(t, now, 1)
	require.Equal(t, []string{"b"}, now[0].Types, "whom it talks to last says how it is")
	require.Equal(t, first[0].FirstSeenAt, now[0].FirstSeenAt)
	require.Greater(t, now[0].LastSeenAt.Sub(first[0].LastSeenAt), 20*time.Second)

	other.later(90 * time.Second)
	require.Empty(t, workers(t, other.Service, models.WorkerFilter{}))
	_, err = other.Acquire(t.Context(), service.Acquire{Types: []string{"b"}, WorkerID: ptr("w")})
	require.NoError(t, err)
	anew := workers(t, other.Service, models.WorkerFilter{})
	require.Len(t, anew, 1)
	require.NotEqual(t, first[0].FirstSeenAt, anew[0].FirstSeenAt, "it was away")
}

func TestWorker_countsForItsTypes(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for _, typ := range []string{"a", "b", "c"} {
			f.queue(typ)
		}
		f.held("all")
		for i := range 3 {
			f.acquireWith(service.Acquire{Types: []string{"a", "b"}, WorkerID: ptr(fmt.Sprint(i))})
			f.acquireWith(service.Acquire{Types: []string{"b"}})
		}
		stats, err := f.Stats(t.Context())
		require.NoError(t, err)
		counts := map[string]int{}
		for _, typ := range stats.Types {
			counts[typ.Type] = typ.Workers
		}
		require.Equal(t, map[string]int{"a": 3, "b": 4, "c": 0}, counts)
	})
}

func TestWorker_saysWhatCanBe(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		for field, in := range map[string]service.Acquire{
			"announce":             {Announce: &models.Announcement{}},
			"announce.types":       {WorkerID: ptr("w"), Announce: &models.Announcement{Types: make([]string, service.MaxTypes+1)}},
			"announce.types[0]":    {WorkerID: ptr("w"), Announce: &models.Announcement{Types: []string{""}}},
			"announce.concurrency": {WorkerID: ptr("w"), Announce: &models.Announcement{Concurrency: -1}},
			"announce.host":        {WorkerID: ptr("w"), Announce: &models.Announcement{Host: "\x00"}},
			"announce.version":     {WorkerID: ptr("w"), Announce: &models.Announcement{Version: string(make([]rune, 256))}},
		} {
			in.Types = []string{"a"}
			_, err := f.Acquire(t.Context(), in)
			var e *models.Error
			require.ErrorAs(t, err, &e, field)
			require.Equal(t, field, e.Fields[0].Field)
		}
		require.Empty(t, workers(t, f.Service, models.WorkerFilter{}), "who is refused is not there")
		_, err := f.Workers(t.Context(), models.WorkerFilter{Type: []string{"\xff"}})
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}

func (f fixture) held(typ string) {
	f.t.Helper()
	_, err := f.Hold(f.t.Context(), typ)
	require.NoError(f.t, err)
}
