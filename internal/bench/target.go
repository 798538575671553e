package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// caller is what a bench asks of GNJ, by whichever door. Of jobs it gets the id,
// the attempt and the input.
type caller interface {
	CreateJobs(context.Context, []models.NewJob) ([]models.CreatedJob, error)
	CreatePipeline(context.Context, models.NewPipeline) (*models.PipelineDetail, error)
	StartPipeline(ctx context.Context, id int64) (*models.PipelineDetail, error)
	Acquire(context.Context, models.Acquire) ([]models.Job, error)
	FinishMany(context.Context, []models.Finish) ([]models.FinishResult, error)
}

// target is a server under measurement.
type target struct {
	caller
	service *service.Service // in process; else nil
	usage   func(context.Context) (usage, error)
	close   func() error
}

// open starts a server over the database; count has it count its statements.
func (b *bench) open(ctx context.Context, db *database, count bool) (*target, error) {
	if b.Mode != InProcess {
		return b.start(ctx, db, count)
	}
	s, err := NewServer(ServerOptions{Database: db.name, Schema: db.schema, Count: count, NoHistory: b.NoHistory, Logger: b.log})
	if err != nil {
		return nil, err
	}
	return &target{
		caller: inProcess{s.Service()}, service: s.Service(), close: s.Close,
		usage: func(context.Context) (usage, error) { return s.usage(), nil },
	}, nil
}

// inProcess calls the service as an application does: for one job by the verb for one.
type inProcess struct{ *service.Service }

// CreateJobs creates one or many jobs.
func (s inProcess) CreateJobs(ctx context.Context, jobs []models.NewJob) ([]models.CreatedJob, error) {
	if len(jobs) > 1 {
		return s.Service.CreateJobs(ctx, jobs)
	}
	job, err := s.CreateJob(ctx, jobs[0])
	return []models.CreatedJob{job}, err
}

// The environment of the process that serves, as a password must not stand on
// a command line.
const (
	DatabaseVariable = "GNJ_BENCH_DATABASE" // ServerOptions.Database
	SchemaVariable   = "GNJ_BENCH_SCHEMA"   // ServerOptions.Schema
	CountVariable    = "GNJ_BENCH_COUNT"    // ServerOptions.Count, true or false
	HistoryVariable  = "GNJ_BENCH_HISTORY"  // not ServerOptions.NoHistory, true or false
)

// endWithin bounds how long the server may take to end.
const endWithin = 20 * time.Second

// start starts the process that serves.
func (b *bench) start(ctx context.Context, db *database, count bool) (*target, error) {
	// Not bound to ctx: it ends by itself when its input does, and closes its database.
	cmd := exec.Command(b.Server[0], b.Server[1:]...) //nolint:noctx // see above
	cmd.Env = append(os.Environ(), DatabaseVariable+"="+db.name, SchemaVariable+"="+db.schema, CountVariable+"="+strconv.FormatBool(count),
		HistoryVariable+"="+strconv.FormatBool(!b.NoHistory))
	cmd.Stderr = b.Errors
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(errors.New("the server did not start"), end(cmd, in))
	}
	client := newRemote(strings.TrimSpace(line), b.Workers)
	t := &target{caller: client, usage: client.usage, close: func() error {
		client.http.CloseIdleConnections()
		return end(cmd, in)
	}}
	if b.Mode == GraphQL {
		t.caller = graphql{client}
	}
	return t, nil
}

// end has the server end, and waits for it.
func end(cmd *exec.Cmd, in io.Closer) error {
	_ = in.Close()
	late := time.AfterFunc(endWithin, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	return nil
}

// newRemote calls a server over as many connections.
func newRemote(url string, connections int) *remote {
	return &remote{url: url, http: &http.Client{Transport: &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
	}}}
}
