package service

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teamstarter/gnj/models"
)

// problems collects what is wrong with the input, by field.
type problems []models.FieldError

// maxProblems bounds an answer about a bulk of bad jobs.
const maxProblems = 100

func (p *problems) add(field, format string, args ...any) {
	if len(*p) < maxProblems {
		*p = append(*p, models.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// err is nil when nothing was wrong.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return models.InvalidFields(p)
}

// text checks what goes into a varchar(255).
func (p *problems) text(field, value string) {
	switch {
	case !utf8.ValidString(value):
		p.add(field, "is not valid UTF-8")
	case strings.ContainsRune(value, 0):
		p.add(field, "holds the character U+0000, which cannot be stored; remove it")
	case utf8.RuneCountInString(value) > models.MaxText:
		p.add(field, "is longer than %d characters", models.MaxText)
	}
}

func (p *problems) optionalText(field string, value *string) {
	if value != nil {
		p.text(field, *value)
	}
}

// required is text that may not be empty.
func (p *problems) required(field, value string) {
	if strings.TrimSpace(value) == "" {
		p.add(field, "is required")
		return
	}
	p.text(field, value)
}

func (p *problems) json(field string, value models.JSON) {
	if err := value.Check(); err != nil {
		p.add(field, "%s", err)
	}
}

// between checks a number against its bounds, both included.
func (p *problems) between(field string, value *int, low, high int) {
	if value != nil && (*value < low || *value > high) {
		p.add(field, "must be %d to %d, not %d", low, high, *value)
	}
}

// time checks that a time can be stored and written back.
func (p *problems) time(field string, value *time.Time) {
	if value == nil {
		return
	}
	if year := value.UTC().Year(); year < 1 || year > 9999 {
		p.add(field, "must be in the years 1 to 9999, not %d", year)
	}
}

func (p *problems) lease(field string, lease time.Duration) {
	if lease < 0 || lease > models.MaxLeaseSeconds*time.Second || lease%time.Second != 0 {
		p.add(field, "must be whole seconds, 0 to %d", models.MaxLeaseSeconds)
	}
}

// job checks a new job; at stands before its fields' names.
func (p *problems) job(at string, in NewJob) {
	p.required(at+"type", in.Type)
	p.optionalText(at+"name", in.Name)
	if in.JobUniqueID != nil {
		p.required(at+"jobUniqueId", *in.JobUniqueID)
	}
	p.optionalText(at+"workerId", in.WorkerID)
	p.json(at+"input", in.Input)
	p.json(at+"output", in.Output)
	p.json(at+"processingInfo", in.ProcessingInfo)
	if in.Status != "" && !in.Status.Valid() {
		p.add(at+"status", "must be one of %s, not %q", join(models.JobStatuses), in.Status)
	}
	p.between(at+"priorityLevel", in.PriorityLevel, math.MinInt32, math.MaxInt32)
	p.between(at+"maxAttempts", in.MaxAttempts, 1, models.MaxAttemptsLimit)
	p.between(at+"backoffSeconds", in.BackoffSeconds, 0, models.MaxBackoffSeconds)
	p.between(at+"backoffMaxSeconds", in.BackoffMaxSeconds, 0, models.MaxBackoffSeconds)
	p.time(at+"startAfter", in.StartAfter)
	p.time(at+"startedAt", in.StartedAt)
	p.time(at+"endedAt", in.EndedAt)
	p.time(at+"cancelledAt", in.CancelledAt)
	p.id(at+"batchId", in.BatchID)
	p.id(at+"pipelineId", in.PipelineID)
	p.id(at+"retryOfJobId", in.RetryOfJobID)
}

// id checks a reference; the columns are 32 bits wide.
func (p *problems) id(field string, id *int64) {
	if id != nil && outside(*id) {
		p.add(field, "names nothing that exists")
	}
}

// outside reports an id that no row can have.
func outside(id int64) bool { return id <= 0 || id > math.MaxInt32 }

// checkID answers the error of an id that no row can have.
func checkID(noun string, id int64) error {
	if outside(id) {
		return models.NotFound("there is no %s with the id %d", noun, id)
	}
	return nil
}

// checkJobs checks new jobs, alone with "" or in a list with its name.
func checkJobs(list string, in []NewJob) error {
	var p problems
	p.jobs(list, in)
	return p.err()
}

func (p *problems) jobs(list string, in []NewJob) {
	at := alone
	if list != "" {
		at = indexed(list)
	}
	for i, job := range in {
		p.job(at(i), job)
	}
}

// types checks the types of an acquire.
func (p *problems) types(field string, types []string) {
	if len(types) == 0 || len(types) > MaxTypes {
		p.add(field, "must hold 1 to %d types, not %d", MaxTypes, len(types))
		return
	}
	for i, typ := range types {
		p.required(fmt.Sprintf("%s[%d]", field, i), typ)
	}
}

// alternatives checks values of a filter.
func (p *problems) alternatives(field string, values []string) {
	p.atMost(field, len(values))
	for _, value := range values {
		p.text(field, value)
	}
}

// announcement checks what a worker says of itself.
func (p *problems) announcement(in *models.Announcement, workerID *string) {
	if in == nil {
		return
	}
	if workerID == nil {
		p.add("announce", "needs a workerId")
	}
	if len(in.Types) > 0 {
		p.types("announce.types", in.Types)
	}
	p.between("announce.concurrency", &in.Concurrency, 0, 1_000_000)
	p.optionalText("announce.host", &in.Host)
	p.optionalText("announce.version", &in.Version)
}

func join[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, ", ")
}

// oneOf checks that every value is one that is allowed.
func oneOf[T ~string](p *problems, field string, given, allowed []T) {
	for _, v := range given {
		if !slices.Contains(allowed, v) {
			p.add(field, "must be one of %s, not %q", join(allowed), v)
			return
		}
	}
}
