package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/teamstarter/gnj/internal/bench"
)

// measure measures GNJ on this machine.
type measure struct {
	Database string         `placeholder:"FILE|URL" help:"Where a database of its own is made and removed: a PostgreSQL URL, where it is a schema, or the name of a SQLite file that is not there. Default: a temporary SQLite file."`
	Scenario bench.Scenario `enum:"throughput,latency,backlog,idle,pipeline,steady" default:"throughput" placeholder:"NAME" help:"throughput: create all jobs, then acquire and finish all. latency: from a create until a waiting worker has the job, at the same node and, on PostgreSQL, at another. backlog: with many rows in the way, against none. idle: workers that wait for nothing. pipeline: jobs of pipelines, against plain ones. steady: jobs a second in each tenth of the time, while another session leaves a transaction open. Default: ${default}."`
	Mode     bench.Mode     `enum:"in-process,http,graphql" default:"in-process" placeholder:"NAME" help:"in-process: the Go worker in one process with the service. http: REST over as many connections as workers. graphql: as workers of graphql-node-jobs. Default: ${default}."`
	Jobs     int            `placeholder:"N" help:"How many jobs; with backlog and pipeline in each of three rounds. Default: 100000; latency 1000, backlog 10000, pipeline 19000."`
	Workers  int            `placeholder:"N" help:"How many workers at once. Default: 100; latency 40, idle 1000."`
	Batch    int            `placeholder:"N" help:"How many jobs a request is about, at most 100; the Go worker asks for as many as it has slots free. Default: 1."`
	Backlog  int            `placeholder:"N" help:"How many rows are in the way with backlog. Default: 1000000."`
	Seconds  int            `placeholder:"N" help:"How long idle looks on, at most 50, or steady works. Default: 30."`
	History  bool           `negatable:"" default:"true" help:"Keep the history of the jobs, as servers do."`
	JSON     bool           `name:"json" help:"Print the figures as JSON."`
}

// Run measures and prints the figures.
func (m measure) Run(c console) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	ctx, stop := untilSignal()
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	tell, done := progressOn(c.err)
	var told func(bench.Progress)
	if tell != nil {
		told = func(p bench.Progress) { tell(p.Phase, p.Done, p.Total) }
	}
	report, err := bench.Run(ctx, bench.Config{
		Scenario: m.Scenario, Mode: m.Mode, Database: m.Database, Jobs: m.Jobs, Workers: m.Workers,
		Batch: m.Batch, Backlog: m.Backlog, Seconds: m.Seconds, NoHistory: !m.History,
		Server: []string{program, benchServerName}, Progress: told, Errors: c.err,
	})
	done()
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped by a signal; what was made is removed")
	case err != nil:
		return err
	case m.JSON:
		encoder := json.NewEncoder(c.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return report.Write(c.out)
}
