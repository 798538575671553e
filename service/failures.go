package service

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	maxFailures   = 5000 // failed jobs that one report looks at
	failuresPiece = 501
	maxGroupIDs   = 50
	maxError      = 200 // characters of an error that make it alike to others
)

var windows = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

// Failures groups the jobs that failed within the window, one of
// models.Windows, by type and by what their errors have in common: numbers, ids
// and quoted parts are left out. It looks at the newest 5000 of them and says so when
// there are more.
//
// It answers models.ErrInvalid for another window.
func (s *Service) Failures(ctx context.Context, window string) (*models.Failures, error) {
	return s.failures(ctx, window, 0)
}

// LookForFailures is [Service.Failures] for people who wait: it ends within less
// than a tenth of a second, with the newest it has found until then.
func (s *Service) LookForFailures(ctx context.Context, window string) (*models.Failures, error) {
	return s.failures(ctx, window, lookWithin)
}

func (s *Service) failures(ctx context.Context, window string, within time.Duration) (*models.Failures, error) {
	back, known := windows[window]
	if !known {
		return nil, models.Invalid("window", "must be one of %s, not %q", strings.Join(models.Windows, ", "), window)
	}
	report := &models.Failures{Groups: []models.FailureGroup{}}
	var failed []models.Job
	var since time.Time
	overdue, err := s.store.Brief(ctx, min(within*20, lookAtMost), func(tx *store.Tx) error {
		now, err := tx.Time()
		if err != nil {
			return err
		}
		since, failed = now.Add(-back), nil
		report.Since, report.Until = since, now.Add(time.Millisecond) // of which the last may be one
		begun := time.Now()
		for before := int64(math.MaxInt64); len(failed) <= maxFailures; {
			some, err := tx.FailedSince(since, before, failuresPiece)
			if failed = append(failed, some...); err != nil || len(some) < failuresPiece {
				return err
			}
			before = some[len(some)-1].ID
			if report.Cut = within > 0 && time.Since(begun) > within/2; report.Cut {
				break
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if report.Cut = report.Cut || overdue || len(failed) > maxFailures; len(failed) > maxFailures {
		failed = failed[:maxFailures]
	}
	report.Read = len(failed)
	s.mask(failed)
	report.Groups = grouped(failed, since)
	return report, nil
}

// mask hides what of the outputs is not to be read.
func (s *Service) mask(failed []models.Job) {
	if s.options.Redact == nil {
		return
	}
	for i := range failed {
		failed[i].Output = s.options.Redact(failed[i]).Output
	}
}

// grouped puts failed jobs with alike errors together.
func grouped(failed []models.Job, since time.Time) []models.FailureGroup {
	groups := []models.FailureGroup{}
	places := map[[2]string]int{}
	for i := range failed { // the newest first
		job := &failed[i]
		key := [2]string{job.Type, alikeError(job.Output)}
		at, known := places[key]
		if !known {
			at = len(groups)
			places[key] = at
			groups = append(groups, models.FailureGroup{Type: job.Type, Error: key[1], Last: *job.EndedAt, Example: job.ID, Since: since})
		}
		g := &groups[at]
		g.Count++
		g.First = *job.EndedAt
		if len(g.IDs) < maxGroupIDs {
			g.IDs = append(g.IDs, job.ID)
		}
	}
	slices.SortStableFunc(groups, func(a, b models.FailureGroup) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

// alikeError is what errors of the same kind have in common.
func alikeError(output models.JSON) string {
	text := errorText(output)
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(text); len(runes) > 2*maxError {
		text = string(runes[:2*maxError])
	}
	text = alike(text)
	if runes := []rune(text); len(runes) > maxError {
		text = string(runes[:maxError]) + "…"
	}
	return cmp.Or(text, "no error was told")
}

// errorText is the error in what a failed job answered: a text, or the first
// of the members that usually hold one.
func errorText(output models.JSON) string {
	var text string
	if json.Unmarshal(output, &text) == nil {
		return text
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(output, &members) != nil {
		return output.String()
	}
	for _, name := range []string{"error", "message", "reason", "stack"} {
		value, there := members[name]
		if !there || string(value) == "null" {
			continue
		}
		if found := errorText(models.JSON(value)); found != "" {
			return found
		}
	}
	return output.String()
}
