package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"
)

// Explain has statements of the transaction explained instead of answered: plan
// gets what the database says of each, and who sent it an answer without rows.
func (tx *Tx) Explain(prefix string, plan func([]string)) {
	tx.explain(explaining{tx.pool, prefix, plan, false})
}

// ExplainReads is [Tx.Explain] for statements that only read, which are answered, too.
func (tx *Tx) ExplainReads(prefix string, plan func([]string)) {
	tx.explain(explaining{tx.pool, prefix, plan, true})
}

func (tx *Tx) explain(pool explaining) {
	tx.pool = pool
	tx.db.Statement.ConnPool = binder{tx.pool, tx.dialect}
}

type explaining struct {
	gorm.ConnPool
	prefix  string
	plan    func([]string)
	answers bool
}

func (e explaining) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := e.explain(ctx, query, args); err != nil {
		return nil, err
	}
	if e.answers {
		return e.ConnPool.QueryContext(ctx, query, args...)
	}
	return e.ConnPool.QueryContext(ctx, "SELECT 1 WHERE false")
}

func (e explaining) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := e.explain(ctx, query, args); err != nil {
		return nil, err
	}
	return e.ConnPool.ExecContext(ctx, "SELECT 1 WHERE false")
}

func (e explaining) explain(ctx context.Context, query string, args []any) error {
	rows, err := e.ConnPool.QueryContext(ctx, e.prefix+query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var lines []string
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		lines = append(lines, string(*cells[len(cells)-1].(*sql.RawBytes))) // the plan is the last column
	}
	e.plan(lines)
	return rows.Err()
}

// Row reads one row of plain values.
func (tx *Tx) Row(query string, dest ...any) error { return tx.row(query, nil, dest...) }
