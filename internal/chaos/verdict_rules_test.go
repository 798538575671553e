package chaos_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

// calm is the history of one job that went through everything that may happen:
// a failure, a worker that was killed, one that was stopped, and the success.
func calm() record {
	return record{
		created: []int64{7},
		changes: []change{
			{7, 0, "", models.JobPlanned, "", 0, false},
			{7, 0, models.JobPlanned, models.JobQueued, "", 0, false},
			{7, 1, models.JobQueued, models.JobProcessing, "well", 0, false},
			{7, 1, models.JobProcessing, models.JobQueued, "well", 0, true},
			{7, 2, models.JobQueued, models.JobProcessing, "dead", 0, false},
			{7, 2, models.JobProcessing, models.JobQueued, "dead", 0, false},
			{7, 3, models.JobQueued, models.JobProcessing, "gone", 0, false},
			{7, 3, models.JobProcessing, models.JobQueued, "gone", 1, false},
			{7, 4, models.JobQueued, models.JobProcessing, "well", 1, false},
			{7, 4, models.JobProcessing, models.JobSuccessful, "well", 1, true},
		},
		runs: []run{
			{"well", 7, 1, began},
			{"well", 7, 1, failed},
			{"dead", 7, 2, began},
			{"dead", 7, 2, done}, // and killed before it could say so
			{"gone", 7, 3, began},
			{"gone", 7, 3, left},
			{"well", 7, 4, began},
			{"well", 7, 4, done},
		},
		fates: map[string]fate{"dead": killed, "gone": stopped},
	}
}

func TestJudge_acceptsWhatIsExplained(t *testing.T) {
	t.Parallel()
	f, problems := calm().judge()
	require.Empty(t, problems)
	require.Equal(t, figures{jobs: 1, attempts: 4, failures: 1, expired: 1, givenBack: 1}, f)
}

func TestJudge_findsWhatIsNot(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*record){
		"it was lost":                              func(r *record) { r.changes, r.runs = nil, nil },
		"nobody asked for it":                      func(r *record) { r.created = nil },
		"two creates were answered with it":        func(r *record) { r.created = []int64{7, 7} },
		`it is stuck as "processing"`:              func(r *record) { r.changes = r.changes[:9] },
		`it is stuck as "queued"`:                  func(r *record) { r.changes = r.changes[:8] },
		"it was successful 2 times":                func(r *record) { r.changes = append(r.changes, r.changes[8:]...) },
		`it became "queued" although it was`:       func(r *record) { r.changes = append(r.changes, back(4, "well", models.JobSuccessful)) },
		`before it became "processing"`:            func(r *record) { r.changes = slices.Delete(r.changes, 7, 8) },
		"attempt 4 came after attempt 2":           func(r *record) { r.changes = slices.Delete(r.changes, 6, 8) },
		"it was acquired while it was":             func(r *record) { r.changes = slices.Delete(r.changes, 1, 2); r.changes[1].was = models.JobPlanned },
		"attempt 4 of well was ended as attempt 3": func(r *record) { r.changes[9].attempt = 3 },
		"was ended as attempt 4 of dead":           func(r *record) { r.changes[9].worker = "dead" },
		`it ended as "failed"`:                     func(r *record) { r.changes[9].is = models.JobFailed },
		"it was successful without a finish":       func(r *record) { r.changes[9].finished = false },
		"the lease of attempt 2 ran out":           func(r *record) { r.fates["dead"] = stopped },
		"the lease of attempt 1 ran out":           func(r *record) { r.changes[3].finished = false },
		"gave it back although nobody stopped it":  func(r *record) { delete(r.fates, "gone") },
		"but its handler did not":                  func(r *record) { r.runs[1].said = left },
		"but no handler did it":                    func(r *record) { r.runs[7].said = left },
		"attempt 4 was run twice":                  func(r *record) { r.runs = append(r.runs, r.runs[6]) },
		`by "gone" but run by "well"`:              func(r *record) { r.runs[4].worker = "well" },
		"and done again although gone":             func(r *record) { r.runs[5].said = done },
	} {
		r := calm()
		spoil(&r)
		_, problems := r.judge()
		require.Len(t, problems, 1, want)
		assert.Contains(t, problems[0], want)
		if len(r.changes) > 0 {
			assert.Contains(t, problems[0], `attempt 1 of "well"`, "the history comes with it")
		}
	}
}

// back is a job that went back to the queue.
func back(attempt int, worker string, was models.JobStatus) change {
	return change{7, attempt, was, models.JobQueued, worker, 1, false}
}

func TestJudge_knowsEachJobByItself(t *testing.T) {
	t.Parallel()
	r := calm()
	r.created = append(r.created, 8)
	f, problems := r.judge()
	require.Len(t, problems, 1)
	require.True(t, strings.HasPrefix(problems[0], "job 8: it was lost"), problems[0])
	require.Equal(t, 2, f.jobs)
}
