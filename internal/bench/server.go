package bench

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/teamstarter/gnj"
)

// ServerOptions say what a server that is measured works on.
type ServerOptions struct {
	Database, Schema string // as of gnj.Options
	// Count has its statements counted. It then works over connections as a
	// host's, that count; else over its own, as it does for most users.
	Count     bool
	NoHistory bool
	Logger    *slog.Logger
}

// Server is a server that is measured: GNJ's handler, and an address that says
// what its process has used.
type Server struct {
	*gnj.Handler
	mux    *http.ServeMux
	counts counts
	own    *sql.DB // when it counts
}

// usageAddress is none of GNJ's.
const usageAddress = "/bench/usage"

// NewServer opens the database and makes its tables. Its errors are those of
// gnj.New. The caller closes it.
func NewServer(o ServerOptions) (*Server, error) {
	s := &Server{mux: http.NewServeMux()}
	options := gnj.Options{Database: o.Database, Schema: o.Schema, DisableHistory: o.NoHistory, Logger: o.Logger}
	if o.Count {
		db, err := s.countingDB(o.Database)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("count statements: %w", err), s.closeOwn())
		}
		options.DB, options.Database = db, ""
	}
	handler, err := gnj.New(options)
	if err != nil {
		return nil, errors.Join(err, s.closeOwn())
	}
	s.Handler = handler
	s.mux.Handle("/", handler)
	s.mux.HandleFunc(usageAddress, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.usage()) // who asked has gone
	})
	return s, nil
}

// ServeHTTP answers every address of GNJ, and the one of the usage.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close ends the handler and closes the database.
func (s *Server) Close() error { return errors.Join(s.Handler.Close(), s.closeOwn()) }

func (s *Server) closeOwn() error {
	if s.own == nil {
		return nil
	}
	return s.own.Close()
}

func (s *Server) usage() usage {
	u := processUsage()
	u.Statements, u.Transactions = s.counts.statements.Load(), s.counts.transactions.Load()
	return u
}

// conns is how many connections a counting server has: as many as one on its own.
const conns = 10

// countingDB opens the database as a host would, by connections that count.
func (s *Server) countingDB(name string) (*gorm.DB, error) {
	var dialector gorm.Dialector
	if isPostgres(name) {
		config, err := pgx.ParseConfig(name)
		if err != nil {
			return nil, err
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		config.Tracer = tracer{&s.counts}
		s.own = stdlib.OpenDB(*config)
		s.own.SetMaxOpenConns(conns)
		s.own.SetMaxIdleConns(conns)
		dialector = gormpostgres.New(gormpostgres.Config{Conn: s.own})
	} else {
		d, err := driverOf(name)
		if err != nil {
			return nil, err
		}
		s.own = sql.OpenDB(counted{counting{d, &s.counts}, fileURL(name)})
		dialector = &gormsqlite.Dialector{Conn: s.own}
	}
	return gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
}
