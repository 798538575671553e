package client

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/teamstarter/gnj/models"
)

// problems collects what HTTP cannot carry, by field. All else is for the
// server to check.
type problems []models.FieldError

func (p *problems) add(field, message string) {
	*p = append(*p, models.FieldError{Field: field, Message: message})
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return models.InvalidFields(p)
}

// text refuses what JSON and addresses would change on the way.
func (p *problems) text(field, value string) {
	if !utf8.ValidString(value) {
		p.add(field, "is not valid UTF-8")
	}
}

func (p *problems) optionalText(field string, value *string) {
	if value != nil {
		p.text(field, *value)
	}
}

func (p *problems) texts(field string, values []string) {
	for i, value := range values {
		p.text(fmt.Sprintf("%s[%d]", field, i), value)
	}
}

// alternatives checks values of a query, where an empty one would count as none.
func (p *problems) alternatives(field string, values []string) {
	for _, value := range values {
		p.text(field, value)
	}
	if slices.Contains(values, "") {
		p.add(field, "must not be empty")
	}
}

func (p *problems) json(field string, value models.JSON) {
	if err := value.Check(); err != nil {
		p.add(field, err.Error())
	}
}

// lease refuses what the wire would round.
func (p *problems) lease(field string, d time.Duration) int {
	if d < 0 || d%time.Second != 0 {
		p.add(field, fmt.Sprintf("must be whole seconds, 0 to %d", models.MaxLeaseSeconds))
	}
	return wholeSeconds(d)
}

// attempt is the attempt that reports and finishes carry.
func (p *problems) attempt(attempt *int) int {
	if attempt == nil {
		p.add("attempt", "is required over HTTP: give the one the job was acquired with")
		return 0
	}
	return *attempt
}

// status refuses here what would have all finishes of a group refused.
func (p *problems) status(status models.JobStatus) {
	if !status.Ended() {
		p.add("status", fmt.Sprintf("must be successful, failed or cancelled, not %q", status))
	}
}

// job checks a new job; at stands before its fields' names.
func (p *problems) job(at string, in models.NewJob) {
	p.text(at+"type", in.Type)
	p.optionalText(at+"name", in.Name)
	p.optionalText(at+"jobUniqueId", in.JobUniqueID)
	p.json(at+"input", in.Input)
	p.byHand(at+"status", in.Status != "")
	p.byHand(at+"workerId", in.WorkerID != nil)
	p.byHand(at+"output", in.Output != nil)
	p.byHand(at+"processingInfo", in.ProcessingInfo != nil)
	p.byHand(at+"startedAt", in.StartedAt != nil)
	p.byHand(at+"endedAt", in.EndedAt != nil)
	p.byHand(at+"cancelledAt", in.CancelledAt != nil)
	p.byHand(at+"retryOfJobId", in.RetryOfJobID != nil)
}

// byHand refuses a field that only callers in process may set.
func (p *problems) byHand(field string, set bool) {
	if set {
		p.add(field, "cannot be set over HTTP; leave it out")
	}
}

func (p *problems) jobs(at string, in []models.NewJob) {
	for i, job := range in {
		p.job(fmt.Sprintf("%s[%d].", at, i), job)
	}
}

func (p *problems) batch(at string, in models.NewBatch) {
	p.byHand(at+"status", in.Status != "")
	p.jobs(at+"jobs", in.Jobs)
}

func (p *problems) step(at string, in models.NewStep) {
	if in.Job != nil {
		p.job(at+"job.", *in.Job)
	}
	if in.Batch != nil {
		p.batch(at+"batch.", *in.Batch)
	}
}

func (p *problems) pipeline(in models.NewPipeline) {
	p.byHand("status", in.Status != "")
	p.optionalText("name", in.Name)
	p.optionalText("metadata", in.Metadata)
	for i, step := range in.Steps {
		p.step(fmt.Sprintf("steps[%d].", i), step)
	}
}
