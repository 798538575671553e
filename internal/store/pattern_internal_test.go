package store

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

// Where Go matches, what is kept of the values is bounded, over all regular
// expressions of a where; what is only read is not.
func TestMatching_keepsSoMuchOnly(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Config{Database: filepath.Join(t.TempDir(), "jobs.db")})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.InsertJobs([]*models.Job{{Type: "aaaa"}, {Type: "aabb"}, {Type: "bbbb"}, {Type: "aaaa"}})
		return err
	}))
	const each = 4 + perMatched
	require.NoError(t, s.Read(t.Context(), func(tx *Tx) error {
		w := &where{tx: tx, of: rowsOf[models.Job]().source}
		matching := func(pattern string, most int) ([]any, error) {
			return w.matching("where.type.regexp", `t."type"`, regexp.MustCompile(pattern), most)
		}
		values, err := matching("^a", 2*each)
		require.NoError(t, err, "one that is there twice is kept once")
		require.ElementsMatch(t, []any{"aaaa", "aabb"}, values)
		_, err = matching("^b", 3*each-1)
		require.ErrorIs(t, err, models.ErrInvalid)
		require.ErrorContains(t, err, "where.type.regexp matches more values of job than")
		values, err = matching("c", 0)
		require.NoError(t, err)
		require.Empty(t, values)
		return nil
	}))
}
