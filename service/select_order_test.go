package service_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestSelect_orders(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for order, want := range map[string][]int64{
			"":                            {1, 2, 3, 4, 5},
			"id":                          {1, 2, 3, 4, 5},
			"reverse:id":                  {5, 4, 3, 2, 1},
			"type":                        {1, 4, 2, 3, 5}, // nulls last, ties by id
			"reverse:type":                {5, 3, 2, 1, 4}, // nulls first
			"type,reverse:id":             {4, 1, 2, 3, 5},
			" type , reverse:id ":         {4, 1, 2, 3, 5},
			"batchId,priorityLevel":       {5, 2, 3, 1, 4},
			"isRecoverable,reverse:id":    {5, 3, 1, 4, 2},
			"reverse:startAfter":          {1, 4, 5, 3, 2},
			"reverse:createdAt":           {5, 4, 3, 2, 1},
			"pipeline.name":               {2, 1, 3, 4, 5}, // a deleted row is none
			"reverse:pipeline.name":       {3, 4, 5, 1, 2},
			"batch.status,reverse:id":     {3, 5, 2, 4, 1}, // no status is planned
			"pipeline.id,batch.id":        {1, 2, 5, 3, 4},
			"name,attempt,leaseExpiresAt": nil, // by the database's own order of text
		} {
			jobs, err := service.Select[models.Job](t.Context(), s, service.Selection{Order: order})
			require.NoError(t, err, order)
			require.Len(t, jobs, 5)
			if want != nil {
				require.Equal(t, want, jobIDs(jobs), order)
			}
		}
		steps, err := service.Select[models.Step](t.Context(), s, service.Selection{Order: "reverse:pipeline.name,batch.status,job.type"})
		require.NoError(t, err)
		require.Len(t, steps, 3)
		require.Equal(t, int64(2), steps[0].ID)
		batches, err := service.Select[models.Batch](t.Context(), s, service.Selection{Order: "pipeline.name"})
		require.NoError(t, err)
		require.Len(t, batches, 3)
		require.Equal(t, int64(2), batches[0].ID)
	})
}

func TestSelect_refusesOrders(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for order, says := range map[string]string{
			"nope":                           "order names nope, which is not a column of job; use one of id,",
			"type,":                          `order names "", which is not a column of job`,
			"reverse:":                       "is not a column",
			"-id":                            `order names "-id"`,
			"uniqueKey":                      "is not a column",
			"type desc":                      `order names "type desc"`,
			"id; DROP TABLE":                 "is not a column",
			`id" DESC --`:                    "is not a column",
			"input":                          "order cannot be by input, which holds JSON",
			"pipeline.nope":                  "order names nope, which is not a column of pipeline; use one of id, name",
			"nope.id":                        "order names nope, which no row of job is related to",
			"batch.pipeline.id":              "is not a column of batch",
			strings.Repeat("id,", 20) + "id": "order names 21 columns; 20 is the most",
		} {
			_, err := service.Select[models.Job](t.Context(), s, service.Selection{Order: order})
			require.ErrorIs(t, err, models.ErrInvalid, order)
			require.ErrorContains(t, err, says, order)
			require.Equal(t, []string{"order"}, fields(t, err))
			_, err = service.Count[models.Job](t.Context(), s, service.Selection{Order: order})
			require.ErrorIs(t, err, models.ErrInvalid, "a count checks what it does not use")
		}
		_, err := service.Select[models.Job](t.Context(), s, service.Selection{Order: "job.input"})
		require.ErrorIs(t, err, models.ErrInvalid)
	})
}

func TestSelect_limitsAndOffsets(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, test := range []struct {
			limit, offset *int
			want          []int64
		}{
			{nil, nil, []int64{1, 2, 3, 4, 5}}, {ptr(2), nil, []int64{1, 2}}, {ptr(2), ptr(2), []int64{3, 4}},
			{nil, ptr(3), []int64{4, 5}}, {ptr(0), nil, []int64{}}, {ptr(9), ptr(9), []int64{}}, {nil, ptr(0), []int64{1, 2, 3, 4, 5}},
			{ptr(math.MaxInt), nil, []int64{1, 2, 3, 4, 5}}, {ptr(math.MaxInt), ptr(math.MaxInt), []int64{}}, {ptr(1), ptr(math.MaxInt32), []int64{}},
		} {
			in := service.Selection{Limit: test.limit, Offset: test.offset}
			jobs, err := service.Select[models.Job](t.Context(), s, in)
			require.NoError(t, err)
			require.Equal(t, test.want, jobIDs(jobs))
			n, err := service.Count[models.Job](t.Context(), s, in)
			require.NoError(t, err)
			require.Equal(t, int64(5), n, "a count takes no notice")
		}
		for field, in := range map[string]service.Selection{"limit": {Limit: ptr(-1)}, "offset": {Offset: ptr(-1)}} {
			_, err := service.Select[models.Job](t.Context(), s, in)
			require.ErrorIs(t, err, models.ErrInvalid)
			require.Equal(t, []string{field}, fields(t, err))
			_, err = service.Count[models.Job](t.Context(), s, in)
			require.ErrorIs(t, err, models.ErrInvalid)
			_, err = service.Related[models.Job](t.Context(), s, "id", []int64{1}, in)
			require.ErrorIs(t, err, models.ErrInvalid)
		}
	})
}

func TestSelect_refusesMoreThanIsBearable(t *testing.T) {
	selectFrom(t, func(t *testing.T, s *service.Service) {
		for _, test := range []struct {
			in     service.Selection
			bounds bool
		}{
			{service.Selection{AtMost: 5}, false}, {service.Selection{AtMost: 4}, true}, {service.Selection{AtMost: 4, Limit: ptr(4)}, false},
			{service.Selection{AtMost: 4, Limit: ptr(9)}, true}, {service.Selection{AtMost: 4, Offset: ptr(1)}, false},
			{service.Selection{AtMost: 1, Where: map[string]any{"id": 2}}, false}, {service.Selection{AtMost: math.MaxInt}, false},
		} {
			jobs, err := service.Select[models.Job](t.Context(), s, test.in)
			require.Equal(t, test.bounds, err != nil, "%+v", test.in)
			if err != nil {
				require.ErrorIs(t, err, models.ErrInvalid)
				require.Equal(t, []string{"limit"}, fields(t, err))
				require.Empty(t, jobs)
			}
		}
		_, err := service.Related[models.Job](t.Context(), s, "id", []int64{1, 2, 3}, service.Selection{AtMost: 2})
		require.ErrorIs(t, err, models.ErrInvalid)
		_, err = service.Related[models.Job](t.Context(), s, "id", []int64{1, 2}, service.Selection{AtMost: 2})
		require.NoError(t, err)
	})
}
