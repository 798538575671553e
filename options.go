package gnj

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"gorm.io/gorm"

	"github.com/teamstarter/gnj/models"
)

// Options are the settings of [New]. The zero value works: jobs in the SQLite file gnj.db.
type Options struct {
	// DB is the application's own database, on PostgreSQL or SQLite. GNJ works over its
	// connections with a configuration of its own and closes none of them.
	DB *gorm.DB
	// Database is where jobs live when DB is not given: a URL such as
	// postgres://user:password@host:5432/database, a SQLite file's name, or
	// ":memory:" for jobs that end with the process. Default "gnj.db".
	Database string
	// Schema is the PostgreSQL schema of GNJ's tables, made when it is not
	// there. Default: the connection's own schema.
	Schema string
	// SkipMigrations leaves the tables as they are; then New fails unless they
	// are at the newest version. For applications that run "gnj migrate" themselves.
	SkipMigrations bool

	// Lease is how long a worker that asks for no lease holds its job without a
	// sign of life; whole seconds, at most a week. Default 0: until it finishes it, as workers of
	// graphql-node-jobs expect.
	Lease time.Duration
	// CancelProcessingOnStart cancels every job that is being processed when
	// New runs, as graphql-node-jobs does. That is right for one server only:
	// with several it cancels the jobs of the others. Default: off.
	CancelProcessingOnStart bool

	// MaxBodyBytes bounds the body of a request; a longer one is answered with
	// 413. Default 50 MB.
	MaxBodyBytes int64

	// CORS allows web pages of other origins to call GNJ. Default: none.
	CORS CORS

	// Authorize says who sends a request and what they may do. It is asked for each request
	// that needs anything, and once for a WebSocket or a stream of events, which may then do
	// the same for as long as it is open. Default: everybody may do everything,
	// and who comes in at all is up to what stands in front of GNJ.
	//
	// An error answers 403, or 401 when it is models.ErrUnauthorized; its message is shown
	// when package models made it (models.Forbidden, models.Unauthorized), and
	// hidden otherwise. A panic is answered with 500. Calls in process are not asked for.
	Authorize func(*http.Request) (Access, error)
	// Redact masks values of jobs for whoever reads them, by REST, GraphQL and
	// subscriptions; an acquire answers all of its jobs, as workers need them. It
	// gets a copy and answers it changed; what pointers and slices in it point to is
	// shared, so it puts others in their place. The id stays. Lists can still be filtered and
	// sorted by what is masked: who must not guess at values must not be let in to read. Errors are
	// grouped as it leaves them; for that it gets the job without input and progress. With it, the history tells no errors.
	// What is told besides jobs (history, explanations, workers, failures, statistics) names types and workers as they are.
	// Default: nothing is masked.
	Redact func(models.Job) models.Job

	// GraphQL adjusts the GraphQL endpoint: limits, and mutations of the
	// application's own.
	GraphQL GraphQL

	// DisableHistory writes no row for each change of a job's or pipeline's
	// status. Default: it is written, in the change's own transaction.
	DisableHistory bool

	// Retention is how long jobs that have ended are kept, by status; they are then removed for
	// good in the background, with their history, in small pieces and by any node. A job of a
	// batch or pipeline goes only together with all of it. At least a minute each.
	// Default 0: they are kept for ever.
	Retention Retention

	// OnJobFailed is called after the commit with each job that became failed
	// for good, also by an expired lease, and with those that
	// CancelProcessingOnStart cancels. It runs in the goroutine that failed the
	// job; a panic in it is logged.
	OnJobFailed func(ctx context.Context, job models.Job)
	// Logger gets one line an event, without payloads. Default slog.Default();
	// slog.New(slog.DiscardHandler) keeps GNJ silent.
	Logger *slog.Logger
}

// Retention is how long what has ended is kept: see [Options].Retention.
type Retention = models.Retention

// DefaultDatabase is the SQLite file of the zero Options.
const DefaultDatabase = "gnj.db"

// defaultMaxBodyBytes is upstream's limit.
const defaultMaxBodyBytes = 50 << 20

// filled returns the options with every default filled in, or what is wrong with them.
func (o Options) filled() (Options, error) {
	switch {
	case o.DB != nil && o.Database != "":
		return o, models.Invalid("Database", "must be empty when DB is given; choose one of the two")
	case o.Lease < 0 || o.Lease > models.MaxLeaseSeconds*time.Second || o.Lease%time.Second != 0:
		return o, models.Invalid("Lease", "must be whole seconds, at most a week, not %s", o.Lease)
	case o.MaxBodyBytes < 0:
		return o, models.Invalid("MaxBodyBytes", "must be positive, or 0 for the default, not %d", o.MaxBodyBytes)
	}
	if o.DB == nil && o.Database == "" {
		o.Database = DefaultDatabase
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = defaultMaxBodyBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if err := o.Retention.Check(); err != nil {
		return o, err
	}
	if err := o.CORS.check(); err != nil {
		return o, err
	}
	var err error
	o.GraphQL, err = o.GraphQL.filled()
	return o, err
}
