package service

import (
	"context"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// Matching is how many jobs a filter has.
type Matching struct {
	Count  int64
	More   bool  // there was no time to count to the end: there may be more
	Newest int64 // the highest id of all jobs there are; 0 without any
}

// CountMatching counts jobs for people who wait: it ends in time, as
// [Service.LookForJobs] does, with what it has counted until then.
func (s *Service) CountMatching(ctx context.Context, filter JobFilter) (Matching, error) {
	return s.countMatching(ctx, filter, lookWithin)
}

func (s *Service) countMatching(ctx context.Context, filter JobFilter, within time.Duration) (Matching, error) {
	filter.Page = models.Page{Order: "-id"}
	page, err := checkJobFilter(filter)
	if err != nil {
		return Matching{}, err
	}
	var m Matching
	overdue, err := s.store.Brief(ctx, lookAtMost, func(tx *store.Tx) (err error) {
		if m.Newest, err = tx.NewestJob(); err != nil || filter.Error != "" {
			return err
		}
		m.Count, m.More, err = tx.CountJobsWithin(lookOf(tx, filter, page, within))
		return err
	})
	m.More = m.More || overdue
	if err != nil || filter.Error == "" {
		return m, err
	}
	alike, err := s.alikeIDs(ctx, filter, page, -1, max(within, 1))
	m.Count, m.More = int64(len(alike.ids)), m.More || alike.more
	return m, err
}

// matchWithin is how long is looked for the next jobs of all that match: longer than
// for a page, as something is done with them before anybody sees more.
const matchWithin = lookAtMost / 2

// NextMatching reads the next jobs, by id, of all that match and were there when the
// Newest of [Matching] was, for who does something with each: as
// [Service.LookForJobs] it ends in time, and goes on from NextCursor, but it finds jobs
// whatever their createdAt. Without a NextCursor that was all. The filter's order is of no account.
func (s *Service) NextMatching(ctx context.Context, filter JobFilter, newest int64) (Found[models.Job], error) {
	return s.nextMatching(ctx, filter, newest, matchWithin)
}

func (s *Service) nextMatching(ctx context.Context, filter JobFilter, newest int64, within time.Duration) (Found[models.Job], error) {
	filter.Order = "id"
	page, err := checkJobFilter(filter)
	if err != nil || newest < 1 {
		return Found[models.Job]{List: List[models.Job]{Items: []models.Job{}}}, err
	}
	page.Until = newest
	return s.lookForPage(ctx, filter, page, within)
}
