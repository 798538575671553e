// Command pipeline plans a pipeline with a batch in the middle, shows it for
// review, starts it when it is approved, and does its jobs in this process.
//
//	go run ./examples/pipeline
//	go run ./examples/pipeline -yes -database postgres://user:password@host:5432/database
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
	"github.com/teamstarter/gnj/worker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("pipeline", flag.ContinueOnError)
	database := flags.String("database", ":memory:", "a SQLite `file`, or postgres://user:password@host:5432/database")
	concurrency := flags.Int("concurrency", 3, "how many jobs are done at once")
	yes := flags.Bool("yes", false, "start without asking")
	if err := flags.Parse(args); err != nil {
		return err
	}
	jobs, err := gnj.New(gnj.Options{Database: *database})
	if err != nil {
		return err
	}
	defer jobs.Close()
	svc := jobs.Service()

	pipeline, err := svc.CreatePipeline(ctx, holidayPictures())
	if err != nil {
		return err
	}
	show(stdout, pipeline)
	if !*yes && !approved(stdin, stdout) {
		fmt.Fprintln(stdout, "Not started: it stays planned.")
		return nil
	}
	if _, err := svc.StartPipeline(ctx, pipeline.ID); err != nil {
		return err
	}
	if err := work(ctx, svc, *concurrency, stdout); err != nil {
		return err
	}
	if pipeline, err = svc.Pipeline(ctx, pipeline.ID); err != nil {
		return err
	}
	show(stdout, pipeline)
	return nil
}

// holidayPictures is downloaded, then resized three times in parallel, then published.
func holidayPictures() service.NewPipeline {
	name := "holiday pictures"
	return service.NewPipeline{Name: &name, Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "download", Input: models.JSON(`{"album": "Crete"}`)}},
		{Batch: &service.NewBatch{Jobs: []service.NewJob{
			{Type: "resize", Input: models.JSON(`{"width": 300}`)},
			{Type: "resize", Input: models.JSON(`{"width": 600}`)},
			{Type: "resize", Input: models.JSON(`{"width": 1200}`)},
		}}},
		{Job: &service.NewJob{Type: "publish"}},
	}}
}

// show prints a pipeline, a line a job.
func show(stdout io.Writer, pipeline *service.PipelineDetail) {
	fmt.Fprintf(stdout, "Pipeline %d, %s: %s\n", pipeline.ID, *pipeline.Name, pipeline.Status)
	for _, step := range pipeline.Steps {
		if step.Job != nil {
			fmt.Fprintf(stdout, "  %d. %s %s: %s\n", step.Index, step.Job.Type, step.Job.Input, step.Job.Status)
			continue
		}
		fmt.Fprintf(stdout, "  %d. a batch: %s\n", step.Index, step.Batch.Status)
		for _, job := range step.Batch.Jobs {
			fmt.Fprintf(stdout, "     - %s %s: %s\n", job.Type, job.Input, job.Status)
		}
	}
}

func approved(stdin io.Reader, stdout io.Writer) bool {
	fmt.Fprint(stdout, "Start it? [y/N] ")
	answer, _ := bufio.NewReader(stdin).ReadString('\n') // no answer is a no
	return strings.EqualFold(strings.TrimSpace(answer), "y")
}

// work does jobs until none is left, several at once.
func work(ctx context.Context, svc *service.Service, concurrency int, stdout io.Writer) error {
	w := worker.New(svc, worker.Options{Concurrency: concurrency})
	for _, typ := range []string{"download", "resize", "publish"} {
		worker.Handle(w, typ, func(_ context.Context, job *worker.Job[picture]) (any, error) {
			fmt.Fprintf(stdout, "%s: job %d, width %d\n", job.Type, job.ID, job.Input.Width) // the work itself
			return nil, nil
		})
	}
	return w.WorkAll(ctx)
}

// picture is what the jobs get.
type picture struct {
	Album string `json:"album"`
	Width int    `json:"width"`
}
