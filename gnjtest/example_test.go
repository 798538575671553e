package gnjtest_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/teamstarter/gnj/gnjtest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

// Invoice is the input of a job.
type Invoice struct {
	Product string `json:"product"`
}

// shop is the application that is tested.
type shop struct {
	jobs *service.Service
	sent []string
}

// order has the invoice sent tomorrow.
func (s *shop) order(ctx context.Context, product string, tomorrow time.Time) error {
	input, err := json.Marshal(Invoice{product})
	if err != nil {
		return err
	}
	_, err = s.jobs.CreateJob(ctx, models.NewJob{Type: "invoice", Input: input, StartAfter: &tomorrow})
	return err
}

func (s *shop) worker() *worker.Worker {
	w := worker.New(s.jobs, worker.Options{})
	worker.Handle(w, "invoice", func(_ context.Context, job *worker.Job[Invoice]) (bool, error) {
		s.sent = append(s.sent, job.Input.Product)
		return true, nil
	})
	return w
}

func TestShop_sendsAnInvoiceTheNextDay(t *testing.T) {
	t.Parallel()
	jobs := gnjtest.New(t)
	shop := &shop{jobs: jobs.Service()}
	if err := shop.order(t.Context(), "lamp", time.Now().Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	jobs.RequireCreated("invoice", Invoice{Product: "lamp"})
	jobs.RequireNotCreated("refund")

	jobs.WorkAll(shop.worker())
	if len(shop.sent) > 0 {
		t.Fatal("too early")
	}
	jobs.Advance(25 * time.Hour)
	jobs.WorkAll(shop.worker())
	if job := jobs.RequireCreated("invoice", Invoice{Product: "lamp"}); job.Status != models.JobSuccessful {
		t.Fatalf("the job is %s: %s", job.Status, job.Output)
	}
}
