package gnj_test

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

// Resize is the input of a job, and Resized its output.
type (
	Resize struct {
		File  string `json:"file"`
		Width int    `json:"width"`
	}
	Resized struct {
		File string `json:"file"`
	}
)

// A worker in the web application itself. It stops when the context ends.
func Example_handlers() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Close()
	created, err := jobs.Service().CreateJob(ctx, service.NewJob{Type: "resize", Input: models.JSON(`{"file": "cat.jpg", "width": 300}`)})
	if err != nil {
		fmt.Println(err)
		return
	}

	w := worker.New(jobs.Service(), worker.Options{Concurrency: 10})
	worker.Handle(w, "resize", func(ctx context.Context, job *worker.Job[Resize]) (Resized, error) {
		if err := job.Report(ctx, worker.Progress{Percent: 50, Message: "half of it"}); err != nil {
			return Resized{}, err // somebody cancelled the job, for instance
		}
		stop() // for this example; as a rule the server's shutdown does so
		return Resized{File: fmt.Sprintf("%d-%s", job.Input.Width, job.Input.File)}, nil
	})
	if err := w.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}

	done, err := jobs.Service().Job(context.Background(), created.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(done.Status, done.Output)
	// Output: successful {"file":"300-cat.jpg"}
}
