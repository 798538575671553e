package store

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

// Whatever the where: no panic, an answer or models.ErrInvalid, never a deleted
// row, and SQL of our own words only.
func FuzzWhere(f *testing.F) {
	for _, seed := range []string{
		`null`, `{}`, `{"id": 1}`, `{"id": "1 OR 1=1"}`, `{"id": {"gt": 1.5, "lt": 1e400}}`, `{"id": [1, null, "2"]}`,
		`{"type": "a'; DROP TABLE job; --"}`, `{"type' OR '1'='1": "a"}`, `{"type\" IS NULL OR \"id": 1}`, `{"type": {"= 'a' OR 1 ": 1}}`,
		`{"type": {"like": "%' OR 1=1 --"}}`, `{"type": "?"}`, `{"type": "@type"}`, `{"type": "{job}"}`, `{"type": ["?", "@a", "{batch}", "$1"]}`,
		`{"deletedAt": {"ne": null}}`, `{"or": [{"deletedAt": {"ne": null}}, {"not": {"deletedAt": null}}]}`, `{"not": {"not": {"not": {}}}}`,
		`{"createdAt": {"between": ["2030-01-01", "2030-01-01T00:00:00+14:00"]}}`, `{"createdAt": {"substring": "T00:"}}`,
		`{"isRecoverable": {"is": true, "not": false, "like": "t%"}}`, `{"input": {"regexp": "\"k\"", "ne": null}}`, `{"name": {"iRegexp": "(?i)(a|b)*\\"}}`,
		`{"name": {"or": [null, "x", {"startsWith": "\\%_*?["}, ["y"]]}}`, `{"and": {"or": {"id": 1, "status": ["queued"]}}}`, `{"status": "\u0000"}`,
		`{"id": {"not": {"in": [1], "between": [1, null]}}}`, `{"name": {"notIn": []}}`, `{"name": {"eq": "\ud800"}}`, `[{"id": 1}]`, `"id"`,
	} {
		f.Add(seed)
	}
	s := memoryWithJobs(f)
	f.Fuzz(func(t *testing.T, text string) {
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var value any
		if decoder.Decode(&value) != nil {
			return
		}
		err := s.Read(t.Context(), func(tx *Tx) error {
			ownWords(t, tx, value)
			jobs, err := Select[models.Job](tx, Selection{Where: value})
			require.False(t, slices.ContainsFunc(jobs, func(j models.Job) bool { return j.DeletedAt != nil || j.ID == 3 }))
			return err
		})
		if err != nil {
			require.ErrorIs(t, err, models.ErrInvalid)
		}
		ownWords(t, &Tx{Store: &Store{dialect: postgres{}}}, value)
	})
}

func memoryWithJobs(t testing.TB) *Store {
	s, err := Open(t.Context(), Config{Database: memory})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Migrate(t.Context()))
	_, err = s.writer.ExecContext(t.Context(), `INSERT INTO job (type, status, name, input, "createdAt", "updatedAt", "deletedAt") VALUES
		('a', 'queued', 'one', '{"k": 1}', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', NULL),
		(NULL, NULL, NULL, NULL, '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', NULL),
		('a', 'queued', 'one', '{"k": 1}', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00', '2030-01-01 00:00:00.000+00:00')`)
	require.NoError(t, err)
	return s
}

var (
	splitWords = regexp.MustCompile(`[\s(),]+`)
	ourWords   = strings.Fields(`AND OR NOT IN IS NULL TRUE FALSE SELECT AS CAST CASE WHEN THEN END AT TIME ZONE value FROM json_each json_array_elements_text json
		text integer timestamptz boolean to_char strftime lower LIKE ILIKE GLOB ~ ~* = <> < <= > >= ? 0 1
		'true' 'false' 'UTC' '%Y-%m-%dT%H:%M:%fZ' 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`)
)

// ownWords holds that nothing of a where gets into the text of a statement but
// the names of columns.
func ownWords(t *testing.T, tx *Tx, value any) {
	w := &where{tx: tx, of: jobRows.source}
	condition, err := w.condition(value)
	if err != nil {
		require.ErrorIs(t, err, models.ErrInvalid)
		return
	}
	for _, word := range splitWords.Split(condition.SQL, -1) {
		known := word == "" || slices.Contains(ourWords, word) ||
			slices.ContainsFunc(jobRows.source.columns, func(c column) bool { return c.sql == word })
		require.True(t, known, "%q in %s", word, condition.SQL)
	}
	require.Len(t, condition.Args, strings.Count(condition.SQL, "?"))
}
