package bench

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/teamstarter/gnj"
)

// Report is what a run measured.
type Report struct {
	Scenario Scenario `json:"scenario"`
	Mode     Mode     `json:"mode"`
	Database string   `json:"database"` // sqlite or postgres
	Jobs     int      `json:"jobs"`
	Workers  int      `json:"workers"`
	Batch    int      `json:"batch"`
	System   System   `json:"system"`
	Phases   []Phase  `json:"phases,omitempty"`
	Idle     *Waiting `json:"idle,omitempty"`
}

// System is where the figures hold.
type System struct {
	Version string `json:"version"` // GNJ's
	Go      string `json:"go"`
	OS      string `json:"os"`
	CPUs    int    `json:"cpus"`
}

func system() System {
	return System{gnj.Version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, runtime.NumCPU()}
}

// Phase is one thing that was measured.
type Phase struct {
	Name          string  `json:"name"`
	Jobs          int     `json:"jobs"`
	Seconds       float64 `json:"seconds"`
	JobsPerSecond float64 `json:"jobsPerSecond"`
	Calls         []Call  `json:"calls"` // null where they are not kept

	// Of a server that counts, in a pass of its own: statements but for those
	// that begin and end transactions, and transactions, of which a statement
	// outside of one is one. Null when nothing was counted.
	StatementsPerJob   *float64 `json:"statementsPerJob"`
	TransactionsPerJob *float64 `json:"transactionsPerJob"`

	// CPU of the server's process without that of a PostgreSQL; in process it
	// is that of the callers, too, and ClientCPUSeconds is null.
	ServerCPUSeconds  float64  `json:"serverCPUSeconds"`
	ClientCPUSeconds  *float64 `json:"clientCPUSeconds"`
	ServerMemoryBytes int64    `json:"serverMemoryBytes"` // resident at the end

	// Ratio is this phase's jobs a second by those of the phase it is compared with.
	Ratio *float64 `json:"ratio,omitempty"`
}

// use notes what the server used.
func (p *Phase) use(u usage) {
	p.ServerCPUSeconds, p.ServerMemoryBytes = u.CPUSeconds, u.MemoryBytes
	if u.Statements > 0 {
		statements, transactions := float64(u.Statements)/float64(p.Jobs), float64(u.Transactions)/float64(p.Jobs)
		p.StatementsPerJob, p.TransactionsPerJob = &statements, &transactions
	}
}

// takeCounts takes the counts of the same phase of a server that counts.
func (p *Phase) takeCounts(of Phase) {
	p.StatementsPerJob, p.TransactionsPerJob = of.StatementsPerJob, of.TransactionsPerJob
}

// Call is how long calls of a kind took, in milliseconds.
type Call struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	P50   float64 `json:"p50ms"`
	P95   float64 `json:"p95ms"`
	P99   float64 `json:"p99ms"`
	Max   float64 `json:"maxms"`
}

// Waiting is what workers cost that wait for jobs when there are none.
type Waiting struct {
	Acquires              int     `json:"acquires"`
	Seconds               float64 `json:"seconds"`
	CPUPercent            float64 `json:"cpuPercent"` // of one core
	StatementsPerSecond   float64 `json:"statementsPerSecond"`
	TransactionsPerSecond float64 `json:"transactionsPerSecond"`
	ServerMemoryBytes     int64   `json:"serverMemoryBytes"`
}

// Write writes the report as a table for people.
func (r *Report) Write(w io.Writer) error {
	if err := r.writeTitle(w); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if r.Idle != nil {
		r.Idle.rows(t)
	} else {
		r.rows(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return r.writeNotes(w)
}

func (r *Report) rows(t io.Writer) {
	width := len("phase")
	for _, p := range r.Phases {
		width = max(width, len(p.Name))
	}
	left := func(name string) string { return fmt.Sprintf("%-*s", width, name) }
	line(t, left("phase"), "jobs", "jobs/s", "ratio", "SQL/job", "tx/job", "server CPU s", "client CPU s", "server MB")
	for _, p := range r.Phases {
		line(t, left(p.Name), thousands(float64(p.Jobs)), thousands(p.JobsPerSecond), maybe(p.Ratio), maybe(p.StatementsPerJob),
			maybe(p.TransactionsPerJob), fixed(p.ServerCPUSeconds), maybe(p.ClientCPUSeconds), megabytes(p.ServerMemoryBytes))
	}
	if !slices.ContainsFunc(r.Phases, func(p Phase) bool { return len(p.Calls) > 0 }) {
		return
	}
	_, _ = fmt.Fprintln(t) // what follows is aligned by itself
	line(t, left("phase"), "call", "calls", "p50 ms", "p95 ms", "p99 ms", "max ms")
	for _, p := range r.Phases {
		for _, c := range p.Calls {
			line(t, left(p.Name), c.Name, thousands(float64(c.Count)), fixed(c.P50), fixed(c.P95), fixed(c.P99), fixed(c.Max))
		}
	}
}

func (r *Report) writeTitle(w io.Writer) error {
	var what string
	switch r.Scenario {
	case Idle:
	case Steady:
		what = fmt.Sprintf("batch: %d, ", r.Batch)
	default:
		what = fmt.Sprintf("jobs: %s, batch: %d, ", thousands(float64(r.Jobs)), r.Batch)
	}
	_, err := fmt.Fprintf(w, "%s, %s, %s; %sworkers: %s\ngnj %s, %s on %s, CPUs: %d\n\n",
		r.Scenario, r.Mode, r.Database, what, thousands(float64(r.Workers)),
		r.System.Version, r.System.Go, r.System.OS, r.System.CPUs)
	return err
}

// writeNotes says what the figures leave out.
func (r *Report) writeNotes(w io.Writer) error {
	var notes string
	if r.Mode == InProcess {
		notes += "The server's CPU and memory are also those of the callers, which are in its process.\n"
	}
	if r.Database == "postgres" {
		notes += "PostgreSQL's own CPU and memory are not in it.\n"
	}
	if notes == "" {
		return nil
	}
	_, err := io.WriteString(w, "\n"+notes)
	return err
}

func (i *Waiting) rows(w io.Writer) {
	line(w, "waiting", "seconds", "CPU %", "SQL/s", "tx/s", "server MB")
	line(w, thousands(float64(i.Acquires)), fixed(i.Seconds), fixed(i.CPUPercent),
		fixed(i.StatementsPerSecond), fixed(i.TransactionsPerSecond), megabytes(i.ServerMemoryBytes))
}

func line(w io.Writer, cells ...string) {
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")+"\t") // a tabwriter tells its errors at Flush
}

func maybe(value *float64) string {
	if value == nil {
		return "-"
	}
	return fixed(*value)
}

func fixed(value float64) string { return strconv.FormatFloat(value, 'f', 2, 64) }

func megabytes(bytes int64) string { return strconv.FormatFloat(float64(bytes)/1e6, 'f', 0, 64) }

// thousands writes a number without decimals, grouped.
func thousands(value float64) string {
	text := strconv.FormatFloat(value, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
