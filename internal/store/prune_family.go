package store

import (
	"fmt"
	"maps"
	"slices"

	"github.com/teamstarter/gnj/models"
)

// OldParent is a pipeline or a batch that was looked at.
type OldParent struct {
	ID       int64
	Young    bool // it cannot have outlived anything, nor can those behind it
	Outlived bool
}

// OldPipelines looks at the next pipelines behind an id.
func (tx *Tx) OldPipelines(keep models.Retention, after int64, limit int) ([]OldParent, error) {
	return tx.oldParents("pipeline", "", keep, after, limit)
}

// OldBatches is [Tx.OldPipelines] for batches that are no part of a pipeline; the
// others are never outlived by themselves.
func (tx *Tx) OldBatches(keep models.Retention, after int64, limit int) ([]OldParent, error) {
	return tx.oldParents("batch", `"pipelineId" IS NULL AND `, keep, after, limit)
}

func (tx *Tx) oldParents(table, condition string, keep models.Retention, after int64, limit int) ([]OldParent, error) {
	args := append([]any{tx.before(keep.Shortest())}, tx.ofParents(keep)...)
	rows, err := tx.direct(`SELECT id, "createdAt" >= ?, `+condition+outlivedParent+
		` FROM {`+table+`} WHERE id > ? ORDER BY id LIMIT ?`, append(args, after, limit))
	if err != nil {
		return nil, fmt.Errorf("look at old rows of %s: %w", table, err)
	}
	defer func() { _ = rows.Close() }()
	var list []OldParent
	for rows.Next() {
		var p OldParent
		if err := rows.Scan(&p.ID, &p.Young, &p.Outlived); err != nil {
			return nil, fmt.Errorf("look at old rows of %s: %w", table, err)
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// Family is a pipeline with all that belongs to it, or a batch of none with its jobs.
type Family struct {
	Pipeline int64 // 0 for a batch of none
	Batches  []int64
	Jobs     int
	stays    bool // something of it is kept
}

// Root is the id of the pipeline, or else of the batch.
func (f Family) Root() (pipelineIDs, batchIDs []int64) {
	if f.Pipeline != 0 {
		return []int64{f.Pipeline}, nil
	}
	return nil, f.Batches
}

// OldFamilies are those of the pipelines, and of the batches without one, that
// have outlived their retention with all that belongs to them. With lock nothing of
// them changes until the commit; what somebody else keeps from changing is left
// out, as this waits for nobody.
func (tx *Tx) OldFamilies(keep models.Retention, pipelineIDs, batchIDs []int64, lock bool) ([]Family, error) {
	g := gathering{tx: tx, keep: keep, lock: lock, byPipeline: map[int64]*Family{}, byBatch: map[int64]*Family{}}
	for _, step := range []func() error{
		func() error { return g.roots("pipeline", "", pipelineIDs) },
		func() error { return g.roots("batch", ` AND "pipelineId" IS NULL`, batchIDs) },
		g.batches,
		func() error { return g.jobs("batchId", "", g.byBatch) },
		func() error { return g.jobs("pipelineId", ` AND "batchId" IS NULL`, g.byPipeline) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("look at what belongs together: %w", err)
		}
	}
	var whole []Family
	for _, f := range g.all {
		if !f.stays {
			whole = append(whole, *f)
		}
	}
	return whole, nil
}

// gathering finds what belongs to families.
type gathering struct {
	tx                  *Tx
	keep                models.Retention
	lock                bool
	all                 []*Family
	byPipeline, byBatch map[int64]*Family
}

// roots begins a family with each of the ids that has outlived its retention.
func (g *gathering) roots(table, condition string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	lock := ""
	if g.lock {
		lock = g.tx.skipLocked()
	}
	found, err := g.tx.ids(`SELECT id FROM {`+table+`} WHERE `+g.tx.among("id")+condition+` AND `+outlivedParent+` ORDER BY id`+lock,
		append([]any{commas(ids)}, g.tx.ofParents(g.keep)...)...)
	for _, id := range found {
		f := &Family{Pipeline: id}
		if table == "batch" {
			f = &Family{Batches: []int64{id}}
			g.byBatch[id] = f
		} else {
			g.byPipeline[id] = f
		}
		g.all = append(g.all, f)
	}
	return err
}

// batches adds the batches of pipelines. One that is a step of another pipeline, as
// other programs may have made it, keeps its family.
func (g *gathering) batches() error {
	err := g.tx.pairs(`SELECT id, "pipelineId" FROM {batch} WHERE `+g.tx.among(`"pipelineId"`)+` ORDER BY id`,
		[]any{commas(keys(g.byPipeline))}, func(id, pipeline int64) {
			f := g.byPipeline[pipeline]
			f.Batches, g.byBatch[id] = append(f.Batches, id), f
		})
	if err != nil || len(g.byBatch) == 0 {
		return err
	}
	ids := keys(g.byBatch)
	if g.lock {
		locked, err := g.tx.lockable("batch", "id", ids)
		if err != nil {
			return err
		}
		there := make(map[int64]bool, len(locked))
		for _, id := range locked {
			there[id] = true
		}
		for _, id := range ids {
			g.byBatch[id].stays = g.byBatch[id].stays || !there[id]
		}
	}
	return g.tx.pairs(`SELECT "batchId", COALESCE("pipelineId", -1) FROM {pipelineStep} WHERE `+g.tx.among(`"batchId"`),
		[]any{commas(ids)}, func(id, pipeline int64) {
			f := g.byBatch[id]
			f.stays = f.stays || f.Pipeline != pipeline
		})
}

// jobs counts the jobs that name a batch, or a pipeline and no batch. A planned one
// has ended with what it belongs to; any other that has not outlived its
// retention, or is a step of another pipeline, keeps its family.
func (g *gathering) jobs(column, condition string, of map[int64]*Family) error {
	if len(of) == 0 {
		return nil
	}
	tx, ids := g.tx, commas(keys(of))
	jobs := ` FROM {job} WHERE ` + tx.among(`"`+column+`"`) + condition
	locked := map[int64]int64{}
	if g.lock && tx.skipLocked() != "" {
		err := tx.pairs(`SELECT named, count(*) FROM (SELECT "`+column+`" AS named`+jobs+tx.skipLocked()+`) l GROUP BY named`,
			[]any{ids}, func(id, n int64) { locked[id] = n })
		if err != nil {
			return err
		}
	}
	pipeline := `COALESCE({job}."pipelineId", 0)`
	if column == "batchId" {
		pipeline = `COALESCE((SELECT b."pipelineId" FROM {batch} b WHERE b.id = {job}."batchId"), 0)`
	}
	goes := `(COALESCE(status, 'planned') = 'planned' OR ` + outlived + `)
		AND COALESCE((SELECT false FROM {pipelineStep} s WHERE s."jobId" = {job}.id AND COALESCE(s."pipelineId", -1) <> ` + pipeline + ` LIMIT 1), true)`
	rows, err := tx.direct(`SELECT "`+column+`", count(*), sum(CASE WHEN `+goes+` THEN 0 ELSE 1 END)`+jobs+` GROUP BY "`+column+`"`,
		append(tx.ofJobs(g.keep), ids))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, n, kept int64
		if err := rows.Scan(&id, &n, &kept); err != nil {
			return err
		}
		f := of[id]
		f.Jobs += int(n)
		f.stays = f.stays || kept > 0 || g.lock && tx.skipLocked() != "" && locked[id] != n
	}
	return rows.Err()
}

// DeleteFamilies removes families that were found and locked in this transaction,
// with their steps and the history of all.
func (tx *Tx) DeleteFamilies(list []Family) error {
	var pipelineIDs, batchIDs, gone []int64
	for _, f := range list {
		batchIDs = append(batchIDs, f.Batches...)
		if f.Pipeline != 0 {
			pipelineIDs = append(pipelineIDs, f.Pipeline)
		}
	}
	// What refers to others goes before them.
	if _, err := tx.exec(`DELETE FROM {pipelineStep} WHERE `+tx.among(`"pipelineId"`), commas(pipelineIDs)); err != nil {
		return fmt.Errorf("remove steps: %w", err)
	}
	for condition, ids := range map[string][]int64{
		tx.among(`"batchId"`): batchIDs, tx.among(`"pipelineId"`) + ` AND "batchId" IS NULL`: pipelineIDs,
	} {
		jobs, err := tx.ids(`DELETE FROM {job} WHERE `+condition+` RETURNING id`, commas(ids))
		if err != nil {
			return fmt.Errorf("remove jobs: %w", err)
		}
		gone = append(gone, jobs...)
	}
	if _, err := tx.exec(`DELETE FROM {batch} WHERE `+tx.among("id"), commas(batchIDs)); err != nil {
		return fmt.Errorf("remove batches: %w", err)
	}
	if _, err := tx.exec(`DELETE FROM {pipeline} WHERE `+tx.among("id"), commas(pipelineIDs)); err != nil {
		return fmt.Errorf("remove pipelines: %w", err)
	}
	if err := tx.deleteHistory("jobId", gone); err != nil {
		return err
	}
	return tx.deleteHistory("pipelineId", pipelineIDs)
}

// pairs reads rows of two numbers each.
func (tx *Tx) pairs(query string, args []any, row func(a, b int64)) error {
	rows, err := tx.direct(query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b int64
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		row(a, b)
	}
	return rows.Err()
}

func keys[T any](of map[int64]T) []int64 { return slices.Sorted(maps.Keys(of)) }
