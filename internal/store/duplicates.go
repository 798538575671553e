package store

import (
	"context"
	"fmt"
)

// Duplicates are the unique ids that several jobs have, as races and retries
// of graphql-node-jobs leave them. They stay as they are: the oldest job that
// is not deleted stands for the id.
type Duplicates struct {
	Count    int64     // of unique ids
	Examples [][]int64 // a few of them: the ids of the jobs that share one, oldest first, five at most
}

// Duplicates counts the unique ids that several jobs have, and names jobs of a
// few. Later retries share the id of the job they retry, too; so it is of
// interest right after graphql-node-jobs' tables were adopted.
func (s *Store) Duplicates(ctx context.Context) (Duplicates, error) {
	var found Duplicates
	err := s.Read(ctx, func(tx *Tx) (err error) {
		found, err = tx.duplicates()
		return err
	})
	if err != nil {
		return Duplicates{}, fmt.Errorf("count the unique ids that several jobs have: %w", err)
	}
	return found, nil
}

func (tx *Tx) duplicates() (Duplicates, error) {
	const several = ` FROM {job} WHERE "jobUniqueId" IS NOT NULL AND "deletedAt" IS NULL GROUP BY "jobUniqueId" HAVING count(*) > 1`
	var found Duplicates
	if err := tx.row("SELECT count(*) FROM (SELECT 1"+several+") d", nil, &found.Count); err != nil {
		return found, err
	}
	oldest, err := tx.ids("SELECT min(id)" + several + " ORDER BY 1 LIMIT 3")
	if err != nil {
		return found, err
	}
	for _, id := range oldest {
		jobs, err := tx.ids(`SELECT id FROM {job} WHERE "deletedAt" IS NULL
			AND "jobUniqueId" = (SELECT "jobUniqueId" FROM {job} WHERE id = ?) ORDER BY id LIMIT 5`, id)
		if err != nil {
			return found, err
		}
		found.Examples = append(found.Examples, jobs)
	}
	return found, nil
}

// adopted tells of what somebody should know who has just made the migrations.
// They stand whatever comes of it.
func (s *Store) adopted(ctx context.Context) {
	found, err := s.Duplicates(ctx)
	switch {
	case err != nil:
		s.log.Warn("gnj: the database was migrated, but could not be looked at for unique ids of several jobs", "error", s.reason(err))
	case found.Count > 0:
		s.log.Warn("gnj: some unique ids are of several jobs each; they are kept, and the oldest job stands for the id",
			"uniqueIds", found.Count, "jobs", found.Examples)
	}
}
