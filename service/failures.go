package service

import (
	"cmp"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

const (
	maxFailures = 5000 // failed jobs that one report looks at
	maxGroupIDs = 50
	maxError    = 200 // characters of an error that make it alike to others
)

var windows = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

// Failures groups the jobs that failed within the window, one of
// models.Windows, by type and by what their errors have in common: numbers, ids
// and quoted parts are left out. It looks at the newest 5000 of them and says so when
// there are more.
//
// It answers models.ErrInvalid for another window.
func (s *Service) Failures(ctx context.Context, window string) (*models.Failures, error) {
	back, known := windows[window]
	if !known {
		return nil, models.Invalid("window", "must be one of %s, not %q", strings.Join(models.Windows, ", "), window)
	}
	report := &models.Failures{Groups: []models.FailureGroup{}}
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		now, err := tx.Time()
		if err != nil {
			return err
		}
		since := now.Add(-back)
		failed, err := tx.ListFailed(store.Range("endedAt", &since, nil), store.Page{Desc: true, Limit: maxFailures + 1})
		if err != nil {
			return err
		}
		if report.Cut = len(failed) > maxFailures; report.Cut {
			failed = failed[:maxFailures]
		}
		report.Read = len(failed)
		s.mask(failed)
		report.Groups, report.Since, report.Until = grouped(failed, since), since, now.Add(time.Millisecond) // of which the last may be one
		return nil
	})
	return report, err
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
	for _, differs := range differing {
		text = differs.form.ReplaceAllString(text, differs.with)
	}
	if runes := []rune(text); len(runes) > maxError {
		text = string(runes[:maxError]) + "…"
	}
	return cmp.Or(text, "no error was told")
}

// differing are the parts of an error that say which, not what.
var differing = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`"[^"]*"|'[^']*'|` + "`[^`]*`"), "…"},
	{regexp.MustCompile(`(?i)\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`), "#"},
	{regexp.MustCompile(`(?i)\b0x[0-9a-f]+\b|\b[0-9a-f]*[0-9][0-9a-f]{7,}\b`), "#"},
	{regexp.MustCompile(`\d+`), "#"},
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
