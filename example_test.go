package gnj_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// The three lines that mount GNJ in a net/http server, and a job that is made
// over HTTP.
func ExampleNew() {
	mux := http.NewServeMux()

	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	mux.Handle("/gnj/", http.StripPrefix("/gnj", jobs))

	server := httptest.NewServer(mux)
	defer server.Close()
	response, err := http.Post(server.URL+"/gnj/api/v1/jobs", "application/json", strings.NewReader(`{"type": "resize"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	fmt.Println(response.Status, response.Header.Get("Location"))
	// Output: 201 Created /gnj/api/v1/jobs/1
}

// A pipeline is planned, so that somebody can look at it, and started; its
// steps are dispatched one after the other.
func Example_pipeline() {
	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	ctx, svc := context.Background(), jobs.Service()

	name := "holiday pictures"
	pipeline, err := svc.CreatePipeline(ctx, service.NewPipeline{Name: &name, Steps: []service.NewStep{
		{Job: &service.NewJob{Type: "download"}},
		{Batch: &service.NewBatch{Jobs: []service.NewJob{{Type: "resize"}, {Type: "resize"}}}},
		{Job: &service.NewJob{Type: "publish"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := svc.StartPipeline(ctx, pipeline.ID); err != nil {
		log.Fatal(err)
	}

	for {
		acquired, err := svc.Acquire(ctx, service.Acquire{Types: []string{"download", "resize", "publish"}, Count: 10})
		if err != nil {
			log.Fatal(err)
		}
		if len(acquired) == 0 {
			break
		}
		fmt.Printf("%d of type %s\n", len(acquired), acquired[0].Type)
		for _, job := range acquired {
			if _, err := svc.Finish(ctx, service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful}); err != nil {
				log.Fatal(err)
			}
		}
	}
	pipeline, err = svc.Pipeline(ctx, pipeline.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the pipeline is", pipeline.Status)
	// Output:
	// 1 of type download
	// 2 of type resize
	// 1 of type publish
	// the pipeline is successful
}

// A worker in the same process: it acquires a job with a lease, reports its
// progress, which renews the lease, and finishes it.
func Example_worker() {
	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	ctx, svc := context.Background(), jobs.Service()
	if _, err := svc.CreateJob(ctx, service.NewJob{Type: "resize", Input: models.JSON(`{"file": "cat.jpg"}`)}); err != nil {
		log.Fatal(err)
	}

	me := "worker-1"
	acquired, err := svc.Acquire(ctx, service.Acquire{
		Types: []string{"resize"}, WorkerID: &me, Lease: time.Minute, Wait: 20 * time.Second,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, job := range acquired {
		fmt.Printf("attempt %d of job %d: %s\n", job.Attempt, job.ID, job.Input)
		reported, err := svc.Report(ctx, service.Report{
			ID: job.ID, Attempt: &job.Attempt, ProcessingInfo: models.JSON(`{"percent": 50}`),
		})
		if err != nil {
			log.Fatal(err)
		}
		end := service.Finish{ID: job.ID, Attempt: &job.Attempt, Status: models.JobSuccessful}
		if reported.CancelRequested {
			end.Status = models.JobCancelled
		}
		finished, err := svc.Finish(ctx, end)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("it is", finished.Status)
	}
	// Output:
	// attempt 1 of job 1: {"file": "cat.jpg"}
	// it is successful
}
