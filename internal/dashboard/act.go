package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// action is what can be done with jobs, one by one.
type action struct {
	Name, Label, About string
	Value              bool // takes a number
	Needs              models.Level
	possible           func(*models.Job) bool
	do                 func(context.Context, *service.Service, int64, *int) error
}

// Class is how its button looks.
func (a action) Class() string {
	if a.Name == "delete" || a.Name == "cancel" {
		return "danger"
	}
	return "second"
}

var actions = []action{
	{
		"retry", "Retry", "A new job is made for each failed or cancelled one.", false, models.LevelOperate,
		again,
		func(ctx context.Context, s *service.Service, id int64, _ *int) error {
			_, err := s.Retry(ctx, id)
			return err
		},
	},
	{
		"recover", "Recover", "Failed jobs that are recoverable are queued again, with their progress.", false, models.LevelOperate,
		func(j *models.Job) bool { return j.Status == models.JobFailed && j.IsRecoverable },
		func(ctx context.Context, s *service.Service, id int64, _ *int) error {
			_, err := s.Recover(ctx, id)
			return err
		},
	},
	{
		"cancel", "Cancel", "What waits is cancelled; workers are asked to stop what runs.", false, models.LevelOperate,
		func(j *models.Job) bool {
			return j.Status.Waiting() || j.Status == models.JobProcessing
		},
		func(ctx context.Context, s *service.Service, id int64, _ *int) error {
			_, err := s.Cancel(ctx, id)
			return err
		},
	},
	{
		"priority", "Set priority", "Of jobs that have not started.", true, models.LevelOperate,
		func(j *models.Job) bool { return j.Status.Waiting() },
		func(ctx context.Context, s *service.Service, id int64, value *int) error {
			_, err := s.EditJob(ctx, id, models.EditJob{PriorityLevel: value})
			return err
		},
	},
	{
		"delete", "Delete", "They are not listed or dispatched any more. What a worker holds stays.", false, models.LevelAdmin,
		func(j *models.Job) bool { return !j.Status.Held() },
		func(ctx context.Context, s *service.Service, id int64, _ *int) error { return s.DeleteJob(ctx, id) },
	},
}

// again reports a job that can be retried.
func again(j *models.Job) bool {
	return j.Status == models.JobFailed || j.Status == models.JobCancelled
}

func actionNamed(name string) (action, error) {
	for _, a := range actions {
		if a.Name == name {
			return a, nil
		}
	}
	return action{}, models.NotFound("There is no such action.")
}

// bulk is an action on many jobs: on some that were chosen, or on all that
// match a filter. It is done in pieces, a request each; what is left stands in
// the page, so that nothing runs on by itself when the page is closed.
type bulk struct {
	Action  action
	Problem string
	Value   string
	IDs     []int64 // the chosen ones; else all of the filter
	Filter  url.Values
	Query   string
	Total   int64
	AtLeast bool   // there was no time to count to the end
	Until   int64  // the newest job there was when it began
	Cursor  string // how far it is
	Done    int64
	Passed  int64  // the state did not allow it
	Reason  string // why the first of them was passed over
	Stopped bool   // by something that went wrong: it goes on when asked to
	Over    bool
}

// Seen is how many of the jobs it has come to.
func (b bulk) Seen() int64 { return b.Done + b.Passed }

// Gone is how many were counted at first and did not match any more when their
// turn came.
func (b bulk) Gone() int64 { return max(0, b.Total-b.Seen()) }

// Open reports that it is not known how many are left: it goes on although all that
// were counted have been seen.
func (b bulk) Open() bool { return b.Seen() >= b.Total }

// Begun reports whether a piece has been done or tried.
func (b bulk) Begun() bool { return b.Seen() > 0 || b.Cursor != "" || b.Stopped }

func readBulk(ctx context.Context, v *values) (bulk, error) {
	a, err := actionNamed(v.Get("action"))
	if err != nil {
		return bulk{}, err
	}
	b := bulk{Action: a, Value: v.Get("value"), IDs: v.ids("job"), Filter: filterOf(v.Values), Cursor: v.Get("cursor"), Reason: v.Get("reason")}
	if v.Get("all") != "" {
		b.IDs = nil
	}
	b.Query, b.AtLeast = b.Filter.Encode(), v.Get("atLeast") != ""
	for field, to := range map[string]*int64{"total": &b.Total, "until": &b.Until, "done": &b.Done, "passed": &b.Passed} {
		*to, _ = strconv.ParseInt(v.Get(field), 10, 64) // of our own page; without one it is 0
	}
	if err := access.Check(ctx, b.needs()); err != nil {
		return bulk{}, err
	}
	if v.Get("all") == "" && len(b.IDs) == 0 {
		v.wrong("job", "is missing: choose some jobs")
	}
	return b, v.err()
}

// needs is what the caller must be allowed.
func (b bulk) needs() models.Level {
	if b.IDs == nil {
		return models.LevelAdmin // all that match, however many
	}
	return b.Action.Needs
}

// confirm shows how many jobs it is about.
func (d *Dashboard) confirm(q *request) error {
	v := &values{Values: q.r.URL.Query()}
	filter := jobFilter(v)
	b, err := readBulk(q.r.Context(), v)
	if err != nil {
		return err
	}
	// Nothing is done yet, whatever the address says: a link must not go on by itself.
	b.Done, b.Passed, b.Cursor, b.Reason = 0, 0, "", ""
	b.Total = int64(len(b.IDs))
	if b.IDs == nil {
		m, err := d.svc.CountMatching(q.r.Context(), filter)
		if err != nil {
			return err
		}
		b.Total, b.AtLeast, b.Until = m.Count, m.More, m.Newest
	}
	return d.show(q, http.StatusOK, "act", b.Action.Label, b)
}

const (
	pieceJobs = 500 // one request's share of a bulk
	pieceWays = 16  // at once, so that they share transactions
)

// act does a piece, and shows what is left.
func (d *Dashboard) act(q *request) error {
	v, err := q.form()
	if err != nil {
		return err
	}
	filter := jobFilter(v)
	b, err := readBulk(q.r.Context(), v)
	if err != nil {
		return err
	}
	var value *int
	if b.Action.Value {
		if value = v.number("value"); value == nil {
			b.Problem = "Say which priority: a whole number."
			return d.show(q, http.StatusUnprocessableEntity, "act", b.Action.Label, b)
		}
	}
	if err := d.nextPiece(q.r.Context(), &b, filter, value); err != nil {
		if q.r.Context().Err() != nil {
			return err
		}
		b.Stopped, b.Over, b.Problem = true, false, d.told(q, err)
		return d.show(q, statusOf[models.CodeOf(err)], "act", b.Action.Label, b)
	}
	return d.show(q, http.StatusOK, "act", b.Action.Label, b)
}

// nextPiece acts on the next jobs. Those that changed meanwhile are met as they
// are now. After an error it stands where it stood: what was done is then passed over.
func (d *Dashboard) nextPiece(ctx context.Context, b *bulk, filter models.JobFilter, value *int) error {
	if b.IDs != nil {
		b.Over = true
		return d.piece(ctx, b, b.IDs, value)
	}
	filter.Brief, filter.Page = true, models.Page{Limit: pieceJobs, Cursor: b.Cursor}
	found, err := d.svc.NextMatching(ctx, filter, b.Until)
	if err != nil {
		return err
	}
	ids := make([]int64, len(found.Items))
	for i := range found.Items {
		ids[i] = found.Items[i].ID
	}
	if err := d.piece(ctx, b, ids, value); err != nil {
		return err
	}
	b.Cursor = found.NextCursor
	b.Over = b.Cursor == ""
	return nil
}

// safely does it so that a panic, which nobody above this goroutine would catch,
// is an error.
func (a action) safely(ctx context.Context, svc *service.Service, id int64, value *int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return a.do(ctx, svc, id, value)
}

// piece acts on each of the jobs. What the state does not allow is passed over.
func (d *Dashboard) piece(ctx context.Context, b *bulk, ids []int64, value *int) error {
	next := make(chan int64)
	var mu sync.Mutex
	var failed error
	var all sync.WaitGroup
	for range min(pieceWays, len(ids)) {
		all.Go(func() {
			for id := range next {
				err := b.Action.safely(ctx, d.svc, id, value)
				mu.Lock()
				switch code := models.CodeOf(err); {
				case err == nil:
					b.Done++
				case code == models.CodeConflict, code == models.CodeNotFound, code == models.CodeInvalid:
					b.Passed++
					if b.Reason == "" {
						b.Reason = err.Error()
					}
				default:
					failed = errors.Join(failed, fmt.Errorf("%s job %d: %w", b.Action.Name, id, err))
				}
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	all.Wait()
	return failed
}
