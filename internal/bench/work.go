package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

// The payloads, of the size of many jobs'.
const (
	theInput  = `{"file":"cat.jpg","width":300}`
	theOutput = `{"file":"cat-300.jpg"}`
)

// create creates jobs of the types in turn, by so many callers, in requests of
// so many.
func create(ctx context.Context, t *target, m *meter, callers, batch int, types []string) error {
	var next atomic.Int64
	return share(ctx, callers, func(ctx context.Context, _ int) error {
		for {
			to := next.Add(int64(batch))
			from := to - int64(batch)
			if to = min(to, int64(m.total)); from >= to {
				return nil
			}
			jobs := make([]models.NewJob, to-from)
			for i := range jobs {
				jobs[i] = models.NewJob{Type: types[(int(from)+i)%len(types)], Input: models.JSON(theInput)}
			}
			began := time.Now()
			if _, err := t.CreateJobs(ctx, jobs); err != nil {
				return err
			}
			m.took("create", time.Since(began))
			m.add(len(jobs))
		}
	})
}

// prepare creates jobs that are not measured, as fast as can be.
func (b *bench) prepare(ctx context.Context, t *target, name string, jobs int, types []string) error {
	batch, callers := 1000, 4
	if b.Mode == GraphQL { // which creates one at a time
		batch, callers = 1, b.Workers
	}
	_, err := b.measure(ctx, t, name, jobs, func(ctx context.Context, m *meter) error {
		return create(ctx, t, m, callers, batch, types)
	})
	return err
}

// work is what workers do.
type work struct {
	types []string
	wait  time.Duration           // of every acquire; 0: only of those after one that got nothing
	begun func(input models.JSON) // called with each job when its worker has it
}

// do works until all jobs are done: by package worker in process, and by as
// many plain callers over HTTP.
func (b *bench) do(ctx context.Context, t *target, m *meter, w work) error {
	if w.begun == nil {
		w.begun = func(models.JSON) {}
	}
	if t.service != nil {
		return b.doInProcess(ctx, t, m, w)
	}
	return share(ctx, b.Workers, func(ctx context.Context, i int) error {
		err := b.doRemotely(ctx, t, m, w, fmt.Sprintf("bench-%d", i))
		if m.over() {
			return nil // it was waiting when the others had done all
		}
		return err
	})
}

// lease is that of package worker.
const lease = time.Minute

func (b *bench) doRemotely(ctx context.Context, t *target, m *meter, w work, id string) error {
	wants := models.Acquire{Types: w.types, WorkerID: &id, Count: b.Batch, Lease: lease, Wait: w.wait}
	for !m.over() {
		began := time.Now()
		jobs, err := t.Acquire(ctx, wants)
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			wants.Wait = max(w.wait, time.Second) // others have the last ones, or make more
			continue
		}
		if wants.Wait == 0 {
			m.took("acquire", time.Since(began))
		}
		wants.Wait = w.wait
		for i := range jobs {
			w.begun(jobs[i].Input)
		}
		if err := finishAll(ctx, t, m, jobs); err != nil {
			return err
		}
	}
	return nil
}

func finishAll(ctx context.Context, t *target, m *meter, jobs []models.Job) error {
	finishes := make([]models.Finish, len(jobs))
	for i := range jobs {
		finishes[i] = models.Finish{ID: jobs[i].ID, Attempt: &jobs[i].Attempt, Status: models.JobSuccessful, Output: models.JSON(theOutput)}
	}
	began := time.Now()
	results, err := t.FinishMany(ctx, finishes)
	if err != nil {
		return err
	}
	m.took("finish", time.Since(began))
	return finished(m, results)
}

// finished counts what was finished, and answers what was refused.
func finished(m *meter, results []models.FinishResult) error {
	for _, one := range results {
		if one.Err != nil {
			return fmt.Errorf("finish a job: %w", one.Err)
		}
	}
	m.add(len(results))
	return nil
}

func (b *bench) doInProcess(ctx context.Context, t *target, m *meter, w work) error {
	refused := make(chan error, 1)
	wk := worker.New(timed{t.service, m, w.wait > 0, refused}, worker.Options{Concurrency: b.Workers, Logger: b.log})
	for _, typ := range w.types {
		worker.Handle(wk, typ, func(_ context.Context, job *worker.Job[models.JSON]) (models.JSON, error) {
			w.begun(job.Input)
			return models.JSON(theOutput), nil
		})
	}
	if err := wk.Run(ctx); err != nil {
		return err
	}
	select {
	case err := <-refused:
		return err
	default:
		return nil
	}
}

// timed is a worker's queue with its calls timed.
type timed struct {
	*service.Service
	m       *meter
	waits   bool       // acquires are no measure, as they wait for jobs to come
	refused chan error // the first finish that was
}

// Acquire times an acquire that got a job.
func (q timed) Acquire(ctx context.Context, in models.Acquire) ([]models.Job, error) {
	began := time.Now()
	jobs, err := q.Service.Acquire(ctx, in)
	if len(jobs) > 0 && !q.waits {
		q.m.took("acquire", time.Since(began))
	}
	return jobs, err
}

// Finish times a finish.
func (q timed) Finish(ctx context.Context, in models.Finish) (*models.Finished, error) {
	began := time.Now()
	one, err := q.Service.Finish(ctx, in)
	q.m.took("finish", time.Since(began))
	q.note([]models.FinishResult{{Err: err}})
	return one, err
}

// FinishMany times a finish of many.
func (q timed) FinishMany(ctx context.Context, in []models.Finish) ([]models.FinishResult, error) {
	began := time.Now()
	results, err := q.Service.FinishMany(ctx, in)
	q.m.took("finish", time.Since(began))
	if err == nil {
		q.note(results)
	}
	return results, err
}

func (q timed) note(results []models.FinishResult) {
	if err := finished(q.m, results); err != nil {
		select {
		case q.refused <- err:
		default:
		}
	}
}
