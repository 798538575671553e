package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// batchesAtOnce is of how many batches one statement reads the first jobs.
const batchesAtOnce = 32

// FirstJobsOfBatch reads up to so many jobs of each batch, the first by id, without
// input, output and progress.
func (tx *Tx) FirstJobsOfBatch(ids []int64, each int) ([]models.Job, error) {
	all := []models.Job{}
	for part := range powers(ids, batchesAtOnce) {
		// Sorted by id + 0, so that PostgreSQL reads the index of the batch: see [Tx.Step].
		const firstOf = `SELECT id FROM (SELECT id FROM {job} WHERE "batchId" = ? AND ` + notDeleted + ` ORDER BY id + 0 LIMIT ?) job_of_batch`
		query := strings.Join(slices.Repeat([]string{firstOf}, len(part)), " UNION ALL ")
		var args []any
		for _, id := range part {
			args = append(args, id, each)
		}
		list, err := lean.all(tx.rows("SELECT "+lean.columns+" FROM {job} WHERE id IN ("+query+") ORDER BY id", args))
		if err != nil {
			return nil, fmt.Errorf("read the first jobs of batches: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// ShortInputs reads the inputs of jobs that have none or one of at most so many
// characters.
func (tx *Tx) ShortInputs(ids []int64, longest int) (map[int64]models.JSON, error) {
	list, err := inputs.all(tx.rows("SELECT "+inputs.columns+` FROM {job}
		WHERE id IN ? AND (input IS NULL OR length(CAST(input AS text)) <= ?) AND `+notDeleted, []any{ids, longest}))
	if err != nil {
		return nil, fmt.Errorf("read inputs: %w", err)
	}
	found := make(map[int64]models.JSON, len(list))
	for _, job := range list {
		found[job.ID] = job.Input
	}
	return found, nil
}

var inputs = jobs.only("id", "input")
