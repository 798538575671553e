package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

const planned = `Pipeline 1, holiday pictures: planned
  1. download {"album": "Crete"}: planned
  2. a batch: planned
     - resize {"width": 300}: planned
     - resize {"width": 600}: planned
     - resize {"width": 1200}: planned
  3. publish null: planned
`

func TestPipeline_isDoneStepByStepOnceApproved(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		printed := runWith(t, "y\n", "-database", database)
		before, after, _ := strings.Cut(printed, "Start it? [y/N] ")
		require.Equal(t, planned, before)

		lines := strings.Split(after, "\n")
		types := []string{}
		for _, line := range lines[:5] {
			types = append(types, regexp.MustCompile(`^(\w+): job \d+, width \d+$`).FindStringSubmatch(line)[1])
		}
		require.Equal(t, []string{"download", "resize", "resize", "resize", "publish"}, types)
		require.Equal(t, strings.ReplaceAll(planned, "planned", "successful"), strings.Join(lines[5:], "\n"))
	})
}

func TestPipeline_staysPlannedWithoutApproval(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"n\n", "\n", "", "yesterday\n"} {
		database := filepath.Join(t.TempDir(), "jobs.db")
		printed := runWith(t, answer, "-database", database)
		require.Equal(t, planned+"Start it? [y/N] Not started: it stays planned.\n", printed)

		jobs, err := gnj.New(gnj.Options{Database: database})
		require.NoError(t, err)
		pipeline, err := jobs.Service().Pipeline(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, models.PipelinePlanned, pipeline.Status)
		none, err := jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"download", "resize", "publish"}})
		require.NoError(t, err)
		require.Empty(t, none)
		require.NoError(t, jobs.Close())
	}
}

func TestPipeline_isStartedWithoutAskingIfToldSo(t *testing.T) {
	t.Parallel()
	printed := runWith(t, "", "-yes", "-concurrency", "1")
	require.NotContains(t, printed, "Start it?")
	require.Contains(t, printed, "Pipeline 1, holiday pictures: successful\n")
}

// runWith runs the program and returns what it printed.
func runWith(t *testing.T, answer string, args ...string) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stdout")
	require.NoError(t, err)
	require.NoError(t, run(t.Context(), args, strings.NewReader(answer), file))
	require.NoError(t, file.Close())
	printed, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	return string(printed)
}
