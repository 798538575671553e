package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3"
)

// place is where measurements have their databases, and how long they take.
type place struct {
	postgres string
	dir      string // for SQLite
	window   time.Duration
}

func newPlace(o options) (*place, error) {
	dir, err := os.MkdirTemp("", "peerbench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for SQLite: %w", err)
	}
	return &place{o.postgres, dir, o.window}, nil
}

func (p *place) remove() { os.RemoveAll(p.dir) }

// jobs is how many to prepare so that a queue of this speed does not run dry.
func (p *place) jobs(perSecond int) int {
	return int(p.window.Seconds()*float64(perSecond)) + 1
}

// describe tells what decides how fast a server commits.
func (p *place) describe(ctx context.Context, told io.Writer) error {
	conn, err := pgx.Connect(ctx, p.postgres)
	if err != nil {
		return fmt.Errorf("connect to -postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var version, fsync, commit string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')`).
		Scan(&version, &fsync, &commit)
	if err != nil {
		return fmt.Errorf("read the settings of -postgres: %w", err)
	}
	fmt.Fprintf(told, "PostgreSQL %s, fsync %s, synchronous_commit %s\n", version, fsync, commit)
	if fsync == "off" || commit == "off" {
		fmt.Fprintln(told, "This server does not wait for its disk: its figures compare only with others of the same server.")
	}
	return nil
}

// newPostgres creates an empty database and returns its URL. Drop it at the
// end, when nobody is connected any more or should be.
func (p *place) newPostgres(ctx context.Context) (url string, drop func(), err error) {
	config, err := pgx.ParseConfig(p.postgres)
	if err != nil {
		return "", nil, fmt.Errorf("read -postgres: %w", err)
	}
	name := "peerbench_" + strings.ToLower(rand.Text()[:12])
	if err := execOn(ctx, config, "CREATE DATABASE "+name); err != nil {
		return "", nil, fmt.Errorf("create a database: %w", err)
	}
	url, err = withDatabase(p.postgres, name)
	if err != nil {
		return "", nil, err
	}
	drop = func() {
		if err := execOn(context.WithoutCancel(ctx), config, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			fmt.Fprintf(os.Stderr, "drop database %s by hand: %v\n", name, err)
		}
	}
	return url, drop, nil
}

func execOn(ctx context.Context, config *pgx.ConnConfig, statement string) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// newSQLite creates an empty database with one connection, as goqite's manual
// has it; SQLite has one writer anyway. Synchronous is FULL or NORMAL.
func (p *place) newSQLite(synchronous string) (*sql.DB, error) {
	name := filepath.Join(p.dir, rand.Text()+".db")
	db, err := sql.Open("sqlite3", name+"?_journal=WAL&_timeout=5000&_fk=true&_synchronous="+synchronous)
	if err != nil {
		return nil, fmt.Errorf("open a SQLite file: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}
