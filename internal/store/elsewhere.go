package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"
)

// Elsewhere notices what others than this store write into its SQLite file: other
// processes, and this one by connections of its host's. It is for one goroutine.
type Elsewhere struct {
	store   *Store
	seen    [2]written
	open    int // how many looks the files may look the same and have been written again
	version int64
}

// written is when and how far a file was written.
type written struct {
	at   time.Time
	size int64
}

// looksOpen outlasts the clock of file systems, which has steps of up to ten milliseconds.
const looksOpen = 2

// Elsewhere returns nil where it is of no use: on PostgreSQL, which tells, and on
// a database in memory, which nobody else has.
func (s *Store) Elsewhere() *Elsewhere {
	if s.file == "" {
		return nil
	}
	return &Elsewhere{store: s}
}

// Changed reports whether others wrote since the last call, which was some
// milliseconds ago. It costs two looks at
// the file system as long as nobody writes. The database itself, which tells
// others' writes from ours, is asked only when somebody did.
func (e *Elsewhere) Changed(ctx context.Context) (bool, error) {
	before := e.seen
	e.seen = [2]written{lastWritten(e.store.file), lastWritten(e.store.file + "-wal")}
	switch {
	case e.seen != before:
		e.open = looksOpen
	case e.open == 0:
		return false, nil
	default:
		e.open--
	}
	last := e.version
	err := e.store.onConn(ctx, e.store.writer, nil, func(ctx context.Context, _ *Store, conn *sql.Conn, _ func(*Tx) error) error {
		return conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&e.version)
	})
	if err != nil {
		return false, fmt.Errorf("ask whether others wrote: %w", err)
	}
	return e.version != last, nil
}

// lastWritten is nothing of a file that is not there.
func lastWritten(file string) written {
	info, err := os.Stat(file)
	if err != nil {
		return written{}
	}
	return written{info.ModTime(), info.Size()}
}
