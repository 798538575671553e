package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/teamstarter/gnj/models"
)

var transitions = tableOf[models.Transition]()

// history is what happened in a transaction and is not written yet. It becomes
// one statement before the commit; statements of PostgreSQL that change many jobs
// write it themselves: see [Tx.changing].
type history struct {
	asked   asked
	reasons map[int64]string // of single jobs
	rows    []models.Transition
}

// asked is who asked for a change, and why.
type asked struct{ by, reason *string }

type askedKey struct{}

// As returns a context in which changes are by somebody.
func As(ctx context.Context, name string) context.Context {
	a := askedBy(ctx)
	a.by = &name
	return context.WithValue(ctx, askedKey{}, a)
}

// Because returns a context in which changes have a reason.
func Because(ctx context.Context, reason string) context.Context {
	a := askedBy(ctx)
	a.reason = &reason
	return context.WithValue(ctx, askedKey{}, a)
}

// Who is the name that As gave, or "".
func Who(ctx context.Context) string {
	if by := askedBy(ctx).by; by != nil {
		return *by
	}
	return ""
}

// Named reports whether a context says who asked, or why.
func Named(ctx context.Context) bool { return askedBy(ctx) != asked{} }

func askedBy(ctx context.Context) asked {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a
}

// Because says why what follows in the transaction is done, unless whoever asked did.
func (tx *Tx) Because(reason string) {
	if tx.history.asked.reason == nil {
		tx.history.asked.reason = &reason
	}
}

// BecauseOf says why what follows in the transaction is done with one job, unless
// it is known why all of it is.
func (tx *Tx) BecauseOf(jobID int64, reason string) {
	if tx.history.reasons == nil {
		tx.history.reasons = map[int64]string{}
	}
	tx.history.reasons[jobID] = reason
}

// why is the reason of what is done with a job.
func (h *history) why(jobID int64) *string {
	if reason, given := h.reasons[jobID]; given && h.asked.reason == nil {
		return &reason
	}
	return h.asked.reason
}

// happened keeps what became of a job.
func (tx *Tx) happened(job *models.Job, from models.JobStatus) {
	to := string(job.Status)
	if job.DeletedAt != nil {
		to = models.Deleted
	}
	if tx.noHistory || string(from) == to {
		return
	}
	id := job.ID
	tx.history.rows = append(tx.history.rows, models.Transition{
		JobID: &id, From: string(from), To: to, Attempt: job.Attempt, WorkerID: job.WorkerID,
		By: tx.history.asked.by, Reason: tx.history.why(id),
	})
}

// happenedTo keeps what became of a pipeline.
func (tx *Tx) happenedTo(p *models.Pipeline, from models.PipelineStatus) {
	tx.touched(PipelineChanged, p.ID)
	to := string(p.Status)
	if p.DeletedAt != nil {
		to = models.Deleted
	}
	if tx.noHistory || string(from) == to {
		return
	}
	id := p.ID
	tx.history.rows = append(tx.history.rows, models.Transition{
		PipelineID: &id, From: string(from), To: to, By: tx.history.asked.by, Reason: tx.history.asked.reason,
	})
}

// changing is a statement that changes jobs, returns the columns and, where that
// can be the same statement, writes their history: apart tells that it cannot.
// with are its common table expressions, from is the status they had.
func (tx *Tx) changing(with, change, returned, columns, from string, args []any) (query string, all []any, apart bool) {
	if !tx.writesInWith() || tx.noHistory {
		if with != "" {
			with = "WITH " + with + " "
		}
		return with + change + " RETURNING " + returned, args, true
	}
	if with != "" {
		with += ", "
	}
	args = append(args, tx.now(), tx.history.asked.by, tx.history.asked.reason)
	reason := "?"
	if len(tx.history.reasons) > 0 {
		reason = "COALESCE(?, (SELECT CAST(CAST(? AS text) AS jsonb)) ->> CAST(id AS text))" // read once, not for each row
		texts, _ := json.Marshal(tx.history.reasons)                                         // texts always marshal
		args = append(args, string(texts))
	}
	return "WITH " + with + "changed AS (" + change + " RETURNING " + returned + ", " + from + ` AS "wasStatus"), told AS (
			INSERT INTO {gnj_history} ("jobId", "at", "from", "to", attempt, "workerId", "by", reason)
			SELECT id, ?, "wasStatus", CASE WHEN "deletedAt" IS NULL THEN status ELSE 'deleted' END, attempt, "workerId", ?, ` + reason + `
			FROM changed WHERE "wasStatus" <> status OR "deletedAt" IS NOT NULL
		) SELECT ` + columns + ` FROM changed`, args, false
}

// writeHistory writes what has happened.
func (tx *Tx) writeHistory() error {
	list := tx.history.rows
	tx.history.rows = nil
	for part := range chunks(list, insertRows) {
		var r rowset
		cell := func(k kind, of func(models.Transition) any) string {
			cells := make([]any, len(part))
			for i := range part {
				cells[i] = of(part[i])
			}
			return r.column(k, cells)
		}
		columns := []string{
			cell(textKind, func(t models.Transition) any { return t.To }),
			cell(intKind, func(t models.Transition) any { return t.JobID }),
			cell(intKind, func(t models.Transition) any { return t.PipelineID }),
			cell(textKind, func(t models.Transition) any { return t.From }),
			cell(intKind, func(t models.Transition) any { return t.Attempt }),
			cell(textKind, func(t models.Transition) any { return t.WorkerID }),
			cell(textKind, func(t models.Transition) any { return t.By }),
			cell(textKind, func(t models.Transition) any { return t.Reason }),
		}
		from, args := tx.rowset(&r)
		err := tx.directly(`INSERT INTO {gnj_history} ("to", "jobId", "pipelineId", "from", attempt, "workerId", "by", reason, "at")
			SELECT `+strings.Join(columns, ", ")+`, ? FROM `+from+` WHERE v.c0 IS NOT NULL`, append([]any{tx.now()}, args...))
		if err != nil {
			return wrapped(err, "write the history of", int64(len(list)))
		}
	}
	return nil
}

// History reads what became of a job, the oldest first, up to a limit, from
// behind an id on.
func (tx *Tx) History(jobID, after int64, limit int) ([]models.Transition, error) {
	return tx.historyOf("jobId", jobID, after, limit)
}

// PipelineHistory is [Tx.History] of a pipeline.
func (tx *Tx) PipelineHistory(pipelineID, after int64, limit int) ([]models.Transition, error) {
	return tx.historyOf("pipelineId", pipelineID, after, limit)
}

func (tx *Tx) historyOf(column string, id, after int64, limit int) ([]models.Transition, error) {
	list, err := transitions.all(tx.direct("SELECT "+transitions.columns+` FROM {gnj_history}
		WHERE "`+column+`" = ? AND id > ? ORDER BY id + 0 LIMIT ?`, []any{id, after, limit}))
	return list, wrapped(err, "read the history of", id)
}

// literal is a status as it stands in a statement. Statuses are few, and so are
// the texts of statements; one that is none of ours is told as empty.
func literal(status models.JobStatus) string {
	if !status.Valid() {
		return "''"
	}
	return "'" + string(status) + "'"
}

// Position is where the history stands.
type Position struct {
	Newest, Oldest int64 // transitions there are; 0 without any
	// On PostgreSQL a transition may be committed after newer ones. Transactions
	// before Running had ended, and those from Next on had not begun. 0 on SQLite.
	Running, Next int64
}

// HistoryPosition is where the history stands now.
func (tx *Tx) HistoryPosition() (p Position, err error) {
	running, next := tx.running()
	err = tx.row(`SELECT COALESCE((SELECT id FROM {gnj_history} ORDER BY id DESC LIMIT 1), 0),
		COALESCE((SELECT id FROM {gnj_history} ORDER BY id LIMIT 1), 0), `+running+`, `+next, nil, &p.Newest, &p.Oldest, &p.Running, &p.Next)
	if err != nil {
		err = fmt.Errorf("read the position of the history: %w", err)
	}
	return p, err
}

// HistoryAfter reads the transitions of all behind an id, the oldest first, up to a limit.
func (tx *Tx) HistoryAfter(id int64, limit int) ([]models.Transition, error) {
	list, err := transitions.all(tx.direct("SELECT "+transitions.columns+" FROM {gnj_history} WHERE id > ? ORDER BY id LIMIT ?", []any{id, limit}))
	return list, wrapped(err, "read the history after", id)
}
