package bench

import (
	"context"
	"database/sql/driver"
)

// counting is a driver of SQLite that counts what goes over its connections.
// Those that the store is built with have all the optional methods used here.
type counting struct {
	driver.Driver
	*counts
}

// sqliteConn is what connections of the known drivers can do.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
}

// Open opens a connection that counts. One that cannot be counted is
// returned as it is.
func (d counting) Open(name string) (driver.Conn, error) {
	conn, err := d.Driver.Open(name)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(sqliteConn)
	if !ok {
		return conn, nil
	}
	return &countedConn{sqliteConn: full, counts: d.counts}, nil
}

// countedConn is used by one goroutine at a time, as database/sql promises.
type countedConn struct {
	sqliteConn
	*counts
	within bool // a transaction is open
}

func (c *countedConn) said(text string) {
	c.add(text, c.within)
	switch {
	case begins(text):
		c.within = true
	case verb(text) == "COMMIT", verb(text) == "ROLLBACK", verb(text) == "END":
		c.within = false
	}
}

// ExecContext counts a statement.
func (c *countedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.said(query)
	return c.sqliteConn.ExecContext(ctx, query, args)
}

// QueryContext counts a statement.
func (c *countedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.said(query)
	return c.sqliteConn.QueryContext(ctx, query, args)
}

// BeginTx counts a transaction.
func (c *countedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.said("BEGIN")
	tx, err := c.sqliteConn.BeginTx(ctx, opts)
	return countedTx{tx, c}, err
}

// PrepareContext counts the statement each time it is executed.
func (c *countedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.sqliteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := stmt.(sqliteStmt)
	if !ok {
		return stmt, nil
	}
	return &countedStmt{full, c, query}, nil
}

type countedTx struct {
	driver.Tx
	conn *countedConn
}

// Commit ends the transaction.
func (t countedTx) Commit() error {
	t.conn.within = false
	return t.Tx.Commit()
}

// Rollback ends the transaction.
func (t countedTx) Rollback() error {
	t.conn.within = false
	return t.Tx.Rollback()
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type countedStmt struct {
	sqliteStmt
	conn *countedConn
	text string
}

// ExecContext counts the statement.
func (s *countedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.conn.said(s.text)
	return s.sqliteStmt.ExecContext(ctx, args)
}

// QueryContext counts the statement.
func (s *countedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.conn.said(s.text)
	return s.sqliteStmt.QueryContext(ctx, args)
}

// counted connects by a driver that counts.
type counted struct {
	counting
	dsn string
}

// Connect opens a connection.
func (c counted) Connect(context.Context) (driver.Conn, error) { return c.Open(c.dsn) }

// Driver is the driver that counts, by which the store opens the file again.
func (c counted) Driver() driver.Driver { return c.counting }
