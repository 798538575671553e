package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// ratedFrom runs the test at one moment on each kind of database, with rows
// that insert makes of ages before it. Sessions of the database are in another zone.
func ratedFrom(t *testing.T, insert func(at func(time.Duration) string) string, test func(t *testing.T, s *service.Service, now time.Time)) {
	t.Helper()
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		if storetest.IsPostgres(database) {
			name := database[strings.LastIndex(database, "/")+1:]
			name, _, _ = strings.Cut(name, "?")
			filled(t, database, `ALTER DATABASE "`+name+`" SET timezone = 'Pacific/Auckland'`)
		}
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		now := time.Date(2199, 3, 1, 13, 30, 0, 0, time.UTC)
		require.NoError(t, s.Read(t.Context(), func(tx *store.Tx) error {
			real, err := tx.Time()
			s.SetClock(now.Sub(real))
			return err
		}))
		at := func(age time.Duration) string {
			return now.Add(-age).Format("'2006-01-02 15:04:05.000+00:00'")
		}
		filled(t, database, insert(at))
		svc := service.New(s, service.Options{PollInterval: time.Hour, RescueInterval: time.Hour})
		t.Cleanup(svc.Close)
		test(t, svc, now)
	})
}

func TestSelect_ratesJobsADay(t *testing.T) {
	rows := func(at func(time.Duration) string) string {
		var jobs []string
		add := func(age time.Duration, statuses ...string) {
			for _, status := range statuses {
				jobs = append(jobs, fmt.Sprintf(`('a', '%s', %s, %s)`, status, at(age), at(age)))
			}
		}
		day := 24 * time.Hour
		add(time.Minute, "successful", "successful", "failed", "queued")
		add(13*time.Hour, "successful", "cancelled") // the same day in UTC, another one elsewhere
		add(day, "failed", "processing")
		add(2*day, "queued")
		add(3*day, "successful", "failed", "failed", "failed", "failed", "failed", "failed", "failed") // 12.5 percent
		add(30*day-time.Minute, "successful")
		add(30*day+time.Minute, "failed")
		return `INSERT INTO job (type, status, "createdAt", "updatedAt") VALUES ` + strings.Join(jobs, ", ") +
			`; UPDATE job SET "deletedAt" = "createdAt" WHERE id = 2`
	}
	ratedFrom(t, rows, func(t *testing.T, s *service.Service, _ time.Time) {
		ratings, err := service.Select[models.JobSuccessRating](t.Context(), s, service.Selection{})
		require.NoError(t, err)
		want := []models.JobSuccessRating{
			{Day: "2199/03/01", SuccessRating: 75, SuccessfulJobs: 3, FailedJobs: 1, TotalJobs: 4}, // also of the deleted one
			{Day: "2199/02/28", SuccessRating: 0, FailedJobs: 1, TotalJobs: 1},
			{Day: "2199/02/27", SuccessRating: 1000},
			{Day: "2199/02/26", SuccessRating: 13, SuccessfulJobs: 1, FailedJobs: 7, TotalJobs: 8},
			{Day: "2199/01/30", SuccessRating: 100, SuccessfulJobs: 1, TotalJobs: 1},
		}
		require.Equal(t, want, ratings, "newest first")

		some := func(in service.Selection) []models.JobSuccessRating {
			ratings, err := service.Select[models.JobSuccessRating](t.Context(), s, in)
			require.NoError(t, err)
			return ratings
		}
		require.Equal(t, want[1:2], some(service.Selection{Key: "2199/02/28"}))
		require.Equal(t, want[1:3], some(service.Selection{Limit: ptr(2), Offset: ptr(1)}))
		require.Equal(t, want[3:4], some(service.Selection{Order: "reverse:totalJobs", Limit: ptr(1)}))
		require.Equal(t, want[2:3], some(service.Selection{Where: decoded(t, `{"successRating": {"gt": 100}, "day": {"startsWith": "2199/02"}}`)}))
		require.Equal(t, want[4:], some(service.Selection{Where: decoded(t, `{"day": {"regexp": "/01/"}}`)}))
		n, err := service.Count[models.JobSuccessRating](t.Context(), s, service.Selection{Where: decoded(t, `{"totalJobs": {"gt": 0}}`)})
		require.NoError(t, err)
		require.Equal(t, int64(4), n)
		_, err = service.Select[models.JobSuccessRating](t.Context(), s, service.Selection{Order: "createdAt"})
		require.ErrorContains(t, err, "is not a column of jobSuccessRating; use one of day, successRating,")
	})
}

func TestSelect_ratesWorkersAnHour(t *testing.T) {
	rows := func(at func(time.Duration) string) string {
		said := []string{}
		add := func(age time.Duration, typ string, statuses ...string) {
			for _, status := range statuses {
				said = append(said, fmt.Sprintf(`('1', '%s', '%s', %s, %s)`, typ, status, at(age), at(age)))
			}
		}
		add(time.Hour, "a", "FAILED", "EXITED", "AVAILABLE")
		add(time.Minute, "b", "PROCESSING")
		add(time.Second, "a", "AVAILABLE", "AVAILABLE", "PROCESSING", "other")
		add(29*time.Minute, "a", "FAILED")
		for hour := range 400 {
			add(time.Duration(hour+2)*time.Hour, "old", "EXITED")
		}
		return `INSERT INTO "workerMonitoring" ("workerId", "workerType", "workerStatus", "createdAt", "updatedAt") VALUES ` + strings.Join(said, ", ")
	}
	ratedFrom(t, rows, func(t *testing.T, s *service.Service, _ time.Time) {
		ratings, err := service.Select[models.WorkerSuccessRating](t.Context(), s, service.Selection{})
		require.NoError(t, err)
		require.Len(t, ratings, 360, "as many as upstream keeps")
		want := []models.WorkerSuccessRating{
			{UUID: "00000000-0000-4000-8000-000000000005", WorkerType: "a", Timestamp: "13 2199/03/01", AvailableRating: 40, ProcessingRating: 20, FailedRating: 20},
			{UUID: "00000000-0000-4000-8000-000000000004", WorkerType: "b", Timestamp: "13 2199/03/01", ProcessingRating: 100},
			{UUID: "00000000-0000-4000-8000-000000000001", WorkerType: "a", Timestamp: "12 2199/03/01", AvailableRating: 33, FailedRating: 33, ExitedRating: 33},
		}
		require.Equal(t, want, ratings[:3])
		one, err := service.Select[models.WorkerSuccessRating](t.Context(), s, service.Selection{Key: want[1].UUID})
		require.NoError(t, err)
		require.Equal(t, want[1:2], one)
		some, err := service.Select[models.WorkerSuccessRating](t.Context(), s, service.Selection{Order: "workerType,reverse:timestamp", Where: decoded(t, `{"workerType": ["a", "b"]}`), Limit: ptr(2)})
		require.NoError(t, err)
		require.Equal(t, []models.WorkerSuccessRating{want[0], want[2]}, some)
		n, err := service.Count[models.WorkerSuccessRating](t.Context(), s, service.Selection{})
		require.NoError(t, err)
		require.Equal(t, int64(360), n)
	})
}
