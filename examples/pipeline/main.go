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
	"sync"
	"syscall"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
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
	workers := flags.Int("workers", 3, "how many workers do the jobs")
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
	if err := work(ctx, svc, pipeline.ID, *workers, stdout); err != nil {
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

// work does jobs until the pipeline has ended, with several workers at once.
func work(ctx context.Context, svc *service.Service, pipelineID int64, workers int, stdout io.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for n := range workers {
		all.Go(func() { stop(workAs(ctx, svc, fmt.Sprintf("worker-%d", n+1), pipelineID, stdout)) })
	}
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errEnded) {
		return err
	}
	return nil
}

// errEnded says that there is nothing left to do.
var errEnded = errors.New("the pipeline has ended")

// workAs does one job after the other until ctx ends, and answers errEnded when
// the pipeline has ended with its last one.
func workAs(ctx context.Context, svc *service.Service, name string, pipelineID int64, stdout io.Writer) error {
	wants := service.Acquire{Types: []string{"download", "resize", "publish"}, WorkerID: &name, Wait: service.MaxWait}
	for {
		jobs, err := svc.Acquire(ctx, wants)
		if err != nil {
			return err
		}
		for _, job := range jobs {
			fmt.Fprintf(stdout, "%s does job %d (%s)\n", name, job.ID, job.Type) // the work itself
			done := service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful}
			if _, err := svc.Finish(context.WithoutCancel(ctx), done); err != nil {
				return err
			}
		}
		pipeline, err := svc.Pipeline(ctx, pipelineID)
		if err != nil {
			return err
		}
		if pipeline.Status.Ended() {
			return errEnded
		}
	}
}
