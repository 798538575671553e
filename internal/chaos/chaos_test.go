package chaos_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/client"
	"github.com/teamstarter/gnj/internal/storetest"
)

// What "make chaos" sets: see the Makefile.
const (
	jobsVariable = "GNJ_CHAOS_JOBS" // how many
	seedVariable = "GNJ_CHAOS_SEED" // of what is random here; when workers get which job is not
)

// fewJobs are enough to meet every kind of end many times.
const fewJobs = 1000

// TestChaos lets workers, which are killed and stopped all the time, do many
// jobs: each is successful exactly once, and each attempt beyond the first is
// explained by what was done to its worker.
func TestChaos(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes longer")
	}
	t.Run("sqlite", func(t *testing.T) { // not in parallel: leases are short, and processors few
		chaos(t, filepath.Join(t.TempDir(), "jobs.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) {
		chaos(t, storetest.Postgres(t), 2)
	})
}

func chaos(t *testing.T, database string, servers int) {
	t.Helper()
	jobs, seed := number(t, jobsVariable, fewJobs), uint64(number(t, seedVariable, int(rand.Uint32())))
	t.Logf("to repeat what is random: %s=%d", seedVariable, seed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Duration(jobs)*50*time.Millisecond)
	defer cancel()
	var addresses []string
	for range servers {
		p, address, err := serve(ctx, database)
		require.NoError(t, err)
		addresses = append(addresses, address)
		defer func() {
			assert.NoError(t, p.stop())
			assert.NotContains(t, p.errs.String(), "level=ERROR")
		}()
	}
	db := install(t, database)
	began := time.Now()
	calm := make(chan struct{})
	s := &storm{t: t, seed: seed, servers: addresses, runs: t.TempDir(), calm: calm}
	f := &filler{random: rand.New(rand.NewPCG(seed, workers)), queue: client.New(addresses[0])}
	go func() {
		defer close(calm)
		if err := f.fill(ctx, jobs); err != nil {
			t.Error(err)
			return
		}
		if err := untilDone(ctx, db); err != nil {
			t.Error(err)
		}
	}()
	s.rage(context.WithoutCancel(ctx)) // workers stop as they should, also when it takes too long
	<-calm
	seconds := time.Since(began).Seconds()
	judge(t, record{f.created, audited(t, db), saidRuns(t, s.runs), s.fates}, func(n figures) {
		t.Logf("%d jobs in %.1f s: %d attempts by %d workers, %d killed, %d stopped; %d leases expired, %d given back, %d failures tried again",
			n.jobs, seconds, n.attempts, len(s.fates), s.count(killed), s.count(stopped), n.expired, n.givenBack, n.failures)
		assert.NotZero(t, n.expired, "nobody was killed with a job: the storm was none")
		assert.NotZero(t, n.givenBack, "nobody was stopped with a job: the storm was none")
	})
	requireAllSuccessful(t, db, len(f.created))
}

// number reads a setting.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, variable)
	return n
}

// untilDone waits until every job has ended.
func untilDone(ctx context.Context, db *sql.DB) error {
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		var left int
		if err := db.QueryRowContext(ctx, unfinished).Scan(&left); err != nil {
			return fmt.Errorf("count the jobs that have not ended: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("%d jobs have not ended in time", left)
		}
	}
}

// shownProblems bounds what a failure prints.
const shownProblems = 5

// judge fails the test with the histories of jobs that broke a rule.
func judge(t *testing.T, r record, tell func(figures)) {
	t.Helper()
	counts, problems := r.judge()
	tell(counts)
	if len(problems) > 0 {
		t.Errorf("%d jobs broke a rule:\n%s", len(problems), strings.Join(problems[:min(shownProblems, len(problems))], "\n"))
	}
}
