package service_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Any where, bad ones too, is answered alike by both databases.
func TestSelect_answersTheSameOnBothDatabases(t *testing.T) {
	t.Parallel()
	var both []*service.Service
	for _, database := range []string{t.TempDir() + "/jobs.db", storetest.Postgres(t)} {
		s := storetest.Open(t, store.Config{Database: database})
		require.NoError(t, s.Migrate(t.Context()))
		filled(t, database, rowsToSelect)
		svc := service.New(s, service.Options{})
		t.Cleanup(svc.Close)
		both = append(both, svc)
	}
	rapid.Check(t, func(r *rapid.T) {
		where := drawnObject(3).Draw(r, "where")
		order := rapid.SampledFrom([]string{"", "reverse:id", "type", "reverse:type,reverse:id", "batchId", "isRecoverable", "reverse:startAfter", "batch.status", "reverse:pipeline.createdAt"}).Draw(r, "order")
		var answers [][]int64
		var refusals []string
		for _, s := range both {
			jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Where: where, Order: order})
			if err != nil {
				require.ErrorIs(r, err, models.ErrInvalid)
				refusals = append(refusals, err.Error())
				continue
			}
			answers = append(answers, jobIDs(jobs))
		}
		if len(refusals) > 0 {
			require.Len(r, refusals, 2)
			require.Equal(r, refusals[0], refusals[1])
			return
		}
		require.Equal(r, answers[0], answers[1])
	})
}

// drawnObject is a where, at most so many levels deep.
func drawnObject(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(r *rapid.T) map[string]any {
		object := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(r, "keys") {
			if depth > 0 && rapid.IntRange(0, 2).Draw(r, "group?") == 0 {
				object[rapid.SampledFrom([]string{"and", "or", "not"}).Draw(r, "group")] = drawnGroup(r, depth)
				continue
			}
			column := rapid.SampledFrom([]string{"id", "type", "status", "name", "priorityLevel", "isRecoverable", "batchId", "startAfter", "createdAt", "input", "deletedAt"}).Draw(r, "column")
			object[column] = drawnCondition(r, column, depth)
		}
		return object
	})
}

func drawnGroup(r *rapid.T, depth int) any {
	if rapid.Bool().Draw(r, "object") {
		return drawnObject(depth-1).Draw(r, "members")
	}
	list := []any{}
	for range rapid.IntRange(0, 3).Draw(r, "members") {
		list = append(list, drawnObject(depth-1).Draw(r, "member"))
	}
	return list
}

func drawnCondition(r *rapid.T, column string, depth int) any {
	switch rapid.IntRange(0, 5).Draw(r, "form") {
	case 0:
		return drawnValue(r, column)
	case 1:
		return drawnList(r, column)
	}
	object := map[string]any{}
	for range rapid.IntRange(1, 2).Draw(r, "operators") {
		operator := rapid.SampledFrom([]string{
			"eq", "ne", "gt", "gte", "lt", "lte", "in", "notIn", "between", "notBetween", "like", "notLike", "iLike", "notILike",
			"startsWith", "endsWith", "substring", "regexp", "notRegexp", "iRegexp", "notIRegexp", "is", "not", "and", "or",
		}).Draw(r, "operator")
		switch operator {
		case "gt", "gte", "lt", "lte", "between", "notBetween":
			if column == "name" { // texts sort by the collation of the database
				operator = "ne"
			}
		}
		object[operator] = drawnOperand(r, column, operator, depth)
	}
	return object
}

func drawnOperand(r *rapid.T, column, operator string, depth int) any {
	switch operator {
	case "in", "notIn":
		return drawnList(r, column)
	case "between", "notBetween":
		return []any{drawnValue(r, column), drawnValue(r, column)}
	case "like", "notLike", "iLike", "notILike", "startsWith", "endsWith", "substring":
		return rapid.StringOfN(rapid.SampledFrom([]rune(`%%%___aAlphx100\*[]?^-!:T"`)), 0, 6, -1).Draw(r, "pattern")
	case "regexp", "notRegexp", "iRegexp", "notIRegexp":
		return rapid.SampledFrom([]string{"", "a", "^A", "a$", "[a-c]", "b|q", ".", "^.$", `\*`, "[[:alpha:]]+", "[^a]", "a*", "1{1}", `"`}).Draw(r, "regexp")
	case "is":
		return rapid.SampledFrom([]any{nil, true, false, "x"}).Draw(r, "is")
	case "not", "and", "or":
		if depth > 0 && rapid.Bool().Draw(r, "deeper") {
			return drawnCondition(r, column, depth-1)
		}
		return drawnList(r, column)
	}
	return drawnValue(r, column)
}

func drawnList(r *rapid.T, column string) any {
	list := []any{}
	for range rapid.IntRange(0, 3).Draw(r, "length") {
		list = append(list, drawnValue(r, column))
	}
	return list
}

func drawnValue(r *rapid.T, column string) any {
	values := []any{"a", "b", "c", "queued", "failed"}
	switch column {
	case "id", "priorityLevel", "batchId":
		values = []any{json.Number("1"), 2, int64(3), 4.0, "5", json.Number("-1"), 1.5, json.Number("-0.5"), json.Number("99999999999"), json.Number("-1e400"), "2147483648", json.Number("2147483647"), -2147483648.5, "x"}
	case "isRecoverable":
		values = []any{true, false, "true", "false", 1}
	case "startAfter", "createdAt", "deletedAt":
		values = []any{
			"2030-01-02", "2030-01-03T00:00:00.000Z", "2030-05-06T07:08:09.123Z", "2030-05-06T07:08:09.1239Z", "2030-05-06 09:08:09.124+02:00",
			"2030-05-06T07:08:09.12345", "2030-05", "0001-01-01", "9999-12-31T23:59:59.999Z", "soon",
		}
	case "name":
		values = []any{"Alpha", "alpha beta", `100%_done\`, "*[a]?", "", "é", "\u2028<&>", "?", "@name", "{job}", "'", `"`}
	case "input":
		values = []any{nil, nil, "x"}
	}
	if rapid.IntRange(0, 5).Draw(r, "null?") == 0 {
		return nil
	}
	return rapid.SampledFrom(values).Draw(r, "value")
}
