package bench

import (
	"context"
	"fmt"

	"github.com/teamstarter/gnj/models"
)

// dialect is what a statement that lays rows says differently.
type dialect struct{ numbers, now, tomorrow string }

func (d *database) dialect() dialect {
	if d.schema != "" {
		return dialect{
			numbers: "SELECT generate_series(1, $1::int) AS n",
			now:     "date_trunc('milliseconds', now())", tomorrow: "date_trunc('milliseconds', now() + interval '1 day')",
		}
	}
	const format = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'"
	return dialect{
		numbers: "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < $1) SELECT n FROM up",
		now:     format + ")", tomorrow: format + ", '+1 day')",
	}
}

// lay makes rows of jobs in one statement, as the service would have left them.
func (d *database) lay(ctx context.Context, of burden, rows int) error {
	say := d.dialect()
	startAfter, ended, attempt := "NULL", "NULL", 0
	if of.late {
		startAfter = say.tomorrow
	}
	if of.status == models.JobSuccessful {
		ended, attempt = say.now, 1
	}
	_, err := d.own.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s (type, status, input, attempt, "startAfter", "startedAt", "endedAt", "createdAt", "updatedAt")
		SELECT '%s', '%s', '%s', %d, %s, %s, %s, %s, %s FROM (%s) AS numbers`,
		d.table("job"), oldType, of.status, theInput, attempt, startAfter, ended, ended, say.now, say.now, say.numbers), rows)
	if err != nil {
		return fmt.Errorf("lay rows: %w", err)
	}
	return nil
}

// hold holds a type.
func (d *database) hold(ctx context.Context, typ string) error {
	now := d.dialect().now
	_, err := d.own.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %s (type, "createdAt", "updatedAt") VALUES ($1, %s, %s)`, d.table("jobHoldType"), now, now), typ)
	if err != nil {
		return fmt.Errorf("hold a type: %w", err)
	}
	return nil
}
