package bench

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// counts are what a server asked its database: statements that are no begin,
// commit, rollback or savepoint, and transactions, of which a statement outside
// of one is one.
type counts struct {
	statements, transactions atomic.Int64
}

// add counts a statement; within says that a transaction was open.
func (c *counts) add(text string, within bool) {
	if text == "-- ping" {
		return // pgx looks whether a connection is alive
	}
	if !within {
		c.transactions.Add(1)
	}
	if !begins(text) && !ends(text) && verb(text) != "SAVEPOINT" {
		c.statements.Add(1)
	}
}

func begins(text string) bool {
	switch verb(text) {
	case "BEGIN", "START":
		return true
	}
	return false
}

func ends(text string) bool {
	switch verb(text) {
	case "COMMIT", "ROLLBACK", "RELEASE", "END":
		return true
	}
	return false
}

// verb is the first word of a statement.
func verb(text string) string {
	text = strings.TrimSpace(text)
	if end := strings.IndexAny(text, " \t\n;"); end >= 0 {
		text = text[:end]
	}
	return strings.ToUpper(text)
}

// tracer counts what goes over the connections of pgx.
type tracer struct{ *counts }

// TraceQueryStart counts a statement.
func (t tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.add(data.SQL, within(conn))
	return ctx
}

// TraceQueryEnd does nothing.
func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts the transaction that a batch is when none is open.
func (t tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	if !within(conn) {
		t.transactions.Add(1)
	}
	return ctx
}

// TraceBatchQuery counts a statement of a batch.
func (t tracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	t.add(data.SQL, true)
}

// TraceBatchEnd does nothing.
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceCopyFromStart counts a copy as a statement.
func (t tracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	t.add("COPY", within(conn))
	return ctx
}

// TraceCopyFromEnd does nothing.
func (tracer) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}

// within reports whether the connection is in a transaction.
func within(conn *pgx.Conn) bool { return conn.PgConn().TxStatus() != 'I' }
