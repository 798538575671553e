package gnj

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/cors"

	"github.com/teamstarter/gnj/internal/dashboard"
	"github.com/teamstarter/gnj/internal/graph"
	"github.com/teamstarter/gnj/internal/rest"
	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Handler answers every address of GNJ below the point it is mounted at, and
// does the background work. Make one with [New]; several on one database, in one or
// many processes, work together.
type Handler struct {
	store   *store.Store
	service *service.Service
	rest    http.Handler
	pages   http.Handler
	graph   *graph.API
	cors    *cors.Cors // nil when no other origin may call
}

// New opens the database, brings its tables to the newest version and starts
// the background work. The caller closes the Handler when its server has stopped.
//
// It answers models.ErrInvalid for options that cannot work, also for a
// database with tables of the same names that are somebody else's, and
// models.ErrUnavailable for a database that cannot be opened or reached.
func New(options Options) (*Handler, error) {
	o, err := options.filled()
	if err != nil {
		return nil, fmt.Errorf("gnj: %w", err)
	}
	if err := graph.Check(o.graphOptions()); err != nil { // before a database is touched
		return nil, fmt.Errorf("gnj: %w", err)
	}
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{DB: o.DB, Database: o.Database, Schema: o.Schema, NoHistory: o.DisableHistory, Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("gnj: %w", err)
	}
	if err := prepare(ctx, s, o.SkipMigrations); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("gnj: %w", err)
	}
	svc := service.New(s, service.Options{OnJobFailed: o.OnJobFailed, Logger: o.Logger, Lease: o.Lease, Redact: o.Redact, Retention: o.Retention})
	h := &Handler{
		store: s, service: svc, cors: o.CORS.middleware(),
		pages: dashboard.New(svc, dashboard.Options{MaxBodyBytes: o.MaxBodyBytes, Logger: o.Logger, Version: Version(), Admit: o.admit(), Redact: o.Redact}),
		rest:  rest.New(svc, rest.Options{MaxBodyBytes: o.MaxBodyBytes, Logger: o.Logger, Version: Version(), Admit: o.admit(), Redact: o.Redact}),
	}
	if h.graph, err = graph.New(svc, o.graphOptions()); err != nil {
		_ = h.Close()
		return nil, fmt.Errorf("gnj: %w", err)
	}
	if o.CancelProcessingOnStart {
		if err := svc.CancelProcessing(ctx); err != nil {
			_ = h.Close()
			return nil, fmt.Errorf("gnj: cancel what was being processed: %w", err)
		}
	}
	return h, nil
}

// prepare migrates, or makes sure that somebody did.
func prepare(ctx context.Context, s *store.Store, skip bool) error {
	if !skip {
		return s.Migrate(ctx)
	}
	migrated, err := s.Migrated(ctx)
	if err == nil && !migrated {
		err = models.Invalid("SkipMigrations", "is set, but the database is not at the newest version; run gnj migrate first, or leave it off")
	}
	return err
}

// Service is the rules in process: the same verbs as over HTTP.
func (h *Handler) Service() *service.Service { return h.service }

// Drain answers waiting acquires with no job, now and from now on, so that
// http.Server.Shutdown need not wait for them:
//
//	server.RegisterOnShutdown(jobs.Drain)
func (h *Handler) Drain() { h.service.Drain() }

// closeSocketsWithin bounds how long clients may take to say goodbye.
const closeSocketsWithin = 5 * time.Second

// Close answers waiting acquires with no job, ends WebSockets and the background
// work, within fifteen seconds, and closes the database if New opened it. Calling
// it again is harmless.
func (h *Handler) Close() error {
	if h.graph != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeSocketsWithin)
		defer cancel()
		h.graph.Close(ctx)
	}
	h.service.Close()
	if err := h.store.Close(); err != nil {
		return fmt.Errorf("gnj: close the database: %w", err)
	}
	return nil
}
