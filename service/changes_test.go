package service_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// telling is one call of a verb. begin prepares it and returns the call.
type telling struct {
	verb  string // the method, and what about it
	begin func(f fixture) func(ctx context.Context) error
}

// Each verb tells exactly the jobs whose rows it changed, as they are then.
func TestChange_isToldByEveryVerb(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		f, _ = f.hooked()
		w := watched(t, f.Service, nil)
		for _, verb := range slices.Concat(jobVerbs(), workVerbs(), pipelineVerbs(), handVerbs()) {
			call := verb.begin(f)
			before := f.rows()
			w.until(f.Service)
			f.later(time.Second) // so that a change can be told by its time
			require.NoError(t, call(t.Context()), verb.verb)
			f.requireTold(w.until(f.Service), before, verb.verb)
		}
	})
}

// Whoever adds a verb adds it to the test above, or says that it changes no job.
func TestChange_isAskedOfEveryVerb(t *testing.T) {
	t.Parallel()
	none := strings.Fields(`Acquired Advance Batch Batches BeginBehind BeginRemake Close Drain DropAnnouncement Explain Failures Floors ForgetMetrics Glance Health History
		Hold Holds In Job JobInputs Jobs LastHour Look LookAtFront LookForFailures LookForJobs LookForPipelines LookWithin MatchingWithin NextMatching NextWithin
		Metrics MonitorWorkers OrderSteps OutlinePipeline Ping Pipeline PipelineHistory Pipelines Place Pong Prune RefreshPresence Release
		RemakeMetrics SaveMetrics Since Stats Subscribe TendMetrics ToggleHold Transaction Waiting WakeWaiting Watch Workers`)
	tested := map[string]bool{}
	for _, verb := range slices.Concat(jobVerbs(), workVerbs(), pipelineVerbs(), handVerbs()) {
		tested[strings.Fields(verb.verb)[0]] = true
	}
	for method := range reflect.TypeFor[*service.Service]().Methods() {
		reads := slices.Contains(none, method.Name) || strings.HasPrefix(method.Name, "Select") || strings.HasPrefix(method.Name, "Count")
		require.True(t, tested[method.Name] || reads, "%s: does it tell of what it changes?", method.Name)
	}
}

// rows are all jobs of the table, also deleted ones.
func (f fixture) rows() map[int64]models.Job {
	f.t.Helper()
	ids := make([]int64, 500)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	rows := map[int64]models.Job{}
	require.NoError(f.t, f.store.Read(f.t.Context(), func(tx *store.Tx) error {
		list, err := tx.JobsEver(ids)
		for _, job := range list {
			rows[job.ID] = job
		}
		return err
	}))
	require.Less(f.t, len(rows), len(ids))
	return rows
}

// requireTold compares what was told with how the table changed.
func (f fixture) requireTold(events []service.Event, before map[int64]models.Job, verb string) {
	f.t.Helper()
	want, got := map[int64]service.EventKind{}, map[int64]service.EventKind{}
	after := f.rows()
	for id, row := range after {
		old, there := before[id]
		switch {
		case !there && row.DeletedAt == nil:
			want[id] = service.JobCreated
		case there && row.DeletedAt != nil && old.DeletedAt == nil:
			want[id] = service.JobDeleted
		case there && !reflect.DeepEqual(old, row):
			want[id] = service.JobUpdated
		}
	}
	for _, e := range events {
		require.NotNil(f.t, e.Job, "%s: %s", verb, e.Kind)
		require.Empty(f.t, got[e.Job.ID], "%s tells job %d twice", verb, e.Job.ID)
		got[e.Job.ID] = e.Kind
		require.Equal(f.t, after[e.Job.ID], *e.Job, "%s: as it was committed", verb)
	}
	require.NotEmpty(f.t, want, "%s changes no job", verb)
	require.Equal(f.t, want, got, verb)
}

func jobVerbs() []telling {
	return []telling{
		{"CreateJob", func(f fixture) func(context.Context) error {
			return func(ctx context.Context) error { return failure(f.CreateJob(ctx, service.NewJob{Type: "a"})) }
		}},
		{"CreateJob with a key", func(f fixture) func(context.Context) error {
			return func(ctx context.Context) error {
				return failure(f.CreateJob(ctx, service.NewJob{Type: "a", JobUniqueID: ptr("key")}))
			}
		}},
		{"CreateJobs one of which is there", func(f fixture) func(context.Context) error {
			return func(ctx context.Context) error {
				return failure(f.CreateJobs(ctx, []service.NewJob{{Type: "a"}, {Type: "a", JobUniqueID: ptr("key")}, {Type: "b"}}))
			}
		}},
		{"CreateJob that ends its batch", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"b1", "b2"}, []string{"b3"}))
			return func(ctx context.Context) error {
				return failure(f.CreateJob(ctx, service.NewJob{Type: "x", BatchID: p.Steps[0].BatchID, Status: models.JobFailed}))
			}
		}},
		{"EditJob", func(f fixture) func(context.Context) error {
			job := f.queue("edit")
			return func(ctx context.Context) error {
				return failure(f.EditJob(ctx, job.ID, service.EditJob{PriorityLevel: ptr(1)}))
			}
		}},
		{"DeleteJob", func(f fixture) func(context.Context) error {
			job := f.queue("delete")
			return func(ctx context.Context) error { return f.DeleteJob(ctx, job.ID) }
		}},
		{"DeleteJob of a step", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"d1"}, []string{"d2"}, []string{"d3", "d4"}))
			f.do("d1", models.JobSuccessful)
			return func(ctx context.Context) error { return f.DeleteJob(ctx, *p.Steps[1].JobID) }
		}},
		{"Cancel", func(f fixture) func(context.Context) error {
			job := f.queue("cancel")
			return func(ctx context.Context) error { return failure(f.Cancel(ctx, job.ID)) }
		}},
		{"Retry", func(f fixture) func(context.Context) error {
			f.queue("retry")
			job := f.do("retry", models.JobFailed)
			return func(ctx context.Context) error { return failure(f.Retry(ctx, job.ID)) }
		}},
		{"Retry in a batch", func(f fixture) func(context.Context) error {
			f.started(steps([]string{"r1", "r2", "r3"}, []string{"r4"}))
			job := f.do("r1", models.JobFailed)
			return func(ctx context.Context) error { return failure(f.Retry(ctx, job.ID)) }
		}},
		{"ResumePipeline", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"r5", "r5"}, []string{"r6"}))
			f.do("r5", models.JobFailed)
			return func(ctx context.Context) error { return failure(f.ResumePipeline(ctx, p.ID)) }
		}},
		{"RemoveStep", func(f fixture) func(context.Context) error {
			p := f.planned(steps([]string{"r7", "r8"}, []string{"r9"}))
			return func(ctx context.Context) error { return failure(f.RemoveStep(ctx, p.ID, p.Steps[0].ID)) }
		}},
		{"Recover", func(f fixture) func(context.Context) error {
			f.create(service.NewJob{Type: "recover", IsRecoverable: true})
			job := f.do("recover", models.JobFailed)
			return func(ctx context.Context) error { return failure(f.Recover(ctx, job.ID)) }
		}},
	}
}

func workVerbs() []telling {
	return []telling{
		{"Acquire several", func(f fixture) func(context.Context) error {
			f.queue("acquire")
			f.queue("acquire")
			return func(ctx context.Context) error {
				return failure(f.Acquire(ctx, service.Acquire{Types: []string{"acquire"}, Count: 5}))
			}
		}},
		{"GiveBack", func(f fixture) func(context.Context) error {
			f.queue("give back")
			job := f.acquired("give back")
			return func(ctx context.Context) error {
				return givenBack(f.GiveBack(ctx, models.GivingBack([]models.Job{*job})))
			}
		}},
		{"Report", func(f fixture) func(context.Context) error {
			f.queue("report")
			job := f.acquired("report")
			return func(ctx context.Context) error {
				return failure(f.Report(ctx, service.Report{ID: job.ID, ProcessingInfo: models.JSON(`{"steps":{"a":{"status":"done"}}}`)}))
			}
		}},
		{"Finish", func(f fixture) func(context.Context) error {
			f.queue("finish")
			job := f.acquired("finish")
			return func(ctx context.Context) error {
				return failure(f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobSuccessful}))
			}
		}},
		{"Finish a step before a batch", func(f fixture) func(context.Context) error {
			f.started(steps([]string{"f1"}, []string{"f2", "f3"}))
			job := f.acquired("f1")
			return func(ctx context.Context) error {
				return failure(f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobSuccessful}))
			}
		}},
		{"Finish as failed, in a batch", func(f fixture) func(context.Context) error {
			f.started(steps([]string{"f4", "f5", "f6"}, []string{"f7"}))
			job := f.acquired("f4")
			return func(ctx context.Context) error {
				return failure(f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobFailed}))
			}
		}},
		{"Finish as failed, to be tried again", func(f fixture) func(context.Context) error {
			f.create(service.NewJob{Type: "again", MaxAttempts: ptr(2)})
			job := f.acquired("again")
			return func(ctx context.Context) error {
				return failure(f.Finish(ctx, service.Finish{ID: job.ID, Status: models.JobFailed}))
			}
		}},
		{"FinishMany", func(f fixture) func(context.Context) error {
			f.queue("many")
			f.queue("many")
			one, two := f.acquired("many"), f.acquired("many")
			return func(ctx context.Context) error {
				return failure(f.FinishMany(ctx, []service.Finish{{ID: one.ID, Status: models.JobSuccessful}, {ID: two.ID, Status: models.JobFailed}}))
			}
		}},
		{"RescueExpired", func(f fixture) func(context.Context) error {
			f.queue("rescue")
			f.started(steps([]string{"rescue", "waits"}))
			f.acquireWith(service.Acquire{Types: []string{"rescue"}, Lease: time.Second})
			f.acquireWith(service.Acquire{Types: []string{"rescue"}, Lease: time.Second})
			f.later(time.Minute)
			return func(ctx context.Context) error { return failure(f.RescueExpired(ctx)) }
		}},
		{"CancelProcessing", func(f fixture) func(context.Context) error {
			f.queue("boot")
			f.acquired("boot")
			return f.CancelProcessing
		}},
	}
}

func pipelineVerbs() []telling {
	return []telling{
		{"CreateBatch", func(f fixture) func(context.Context) error {
			return func(ctx context.Context) error {
				return failure(f.CreateBatch(ctx, service.NewBatch{Jobs: []service.NewJob{{Type: "a"}, {Type: "a"}}}))
			}
		}},
		{"StartBatch", func(f fixture) func(context.Context) error {
			batch, err := f.CreateBatch(f.t.Context(), service.NewBatch{Jobs: []service.NewJob{{Type: "a"}, {Type: "a"}}})
			require.NoError(f.t, err)
			return func(ctx context.Context) error { return failure(f.StartBatch(ctx, batch.ID)) }
		}},
		{"CreatePipeline", func(f fixture) func(context.Context) error {
			return func(ctx context.Context) error {
				return failure(f.CreatePipeline(ctx, service.NewPipeline{Steps: steps([]string{"a"}, []string{"b", "c"})}))
			}
		}},
		{"AddStep", func(f fixture) func(context.Context) error {
			p := f.planned(nil)
			return func(ctx context.Context) error {
				return failure(f.AddStep(ctx, p.ID, service.NewStep{Job: &service.NewJob{Type: "a"}}))
			}
		}},
		{"StartPipeline", func(f fixture) func(context.Context) error {
			p := f.planned(steps([]string{"a", "b"}, []string{"c"}))
			return func(ctx context.Context) error { return failure(f.StartPipeline(ctx, p.ID)) }
		}},
		{"CancelPipeline that runs", func(f fixture) func(context.Context) error {
			p := f.started(steps([]string{"c1", "c2", "c3"}, []string{"c4"}))
			f.acquired("c1")
			f.do("c2", models.JobSuccessful)
			return func(ctx context.Context) error { return failure(f.CancelPipeline(ctx, p.ID)) }
		}},
		{"CancelPipeline that is planned", func(f fixture) func(context.Context) error {
			p := f.planned(steps([]string{"a", "b"}, []string{"c"}))
			return func(ctx context.Context) error { return failure(f.CancelPipeline(ctx, p.ID)) }
		}},
	}
}

// failure is the error of a call.
func failure(_ any, err error) error { return err }
