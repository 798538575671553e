package graph

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// Related rows are loaded ahead: for each relation that an operation names, one
// statement reads the rows of all parents. What follows walks the operation's
// fields, not the rows.

// node is a row that may have related rows.
type node interface {
	key(column string) *int64
	keep(name string, rows any)
}

func (j *Job) key(column string) *int64 {
	switch column {
	case "batchId":
		return j.BatchID
	case "pipelineId":
		return j.PipelineID
	}
	return &j.ID
}

func (b *Batch) key(column string) *int64 {
	if column == "pipelineId" {
		return b.PipelineID
	}
	return &b.ID
}

func (p *Pipeline) key(string) *int64 { return &p.ID }

func (s *Step) key(column string) *int64 {
	switch column {
	case "jobId":
		return s.JobID
	case "batchId":
		return s.BatchID
	case "pipelineId":
		return &s.PipelineID
	}
	return &s.ID
}

func (r *related) keep(name string, rows any) {
	if *r == nil {
		*r = related{}
	}
	(*r)[name] = rows
}

// relation is a field that holds related rows: those whose column theirs is the
// parent's column ours.
type relation struct {
	of, ours, theirs string
	many             bool
}

// relations of each type, by field.
var relations = map[string]map[string]relation{
	"job": {
		"batch":    {of: "batch", ours: "batchId", theirs: "id"},
		"pipeline": {of: "pipeline", ours: "pipelineId", theirs: "id"},
	},
	"batch": {
		"pipeline": {of: "pipeline", ours: "pipelineId", theirs: "id"},
		"jobs":     {of: "job", ours: "id", theirs: "batchId", many: true},
	},
	"pipeline": {
		"batches": {of: "batch", ours: "id", theirs: "pipelineId", many: true},
		"jobs":    {of: "job", ours: "id", theirs: "pipelineId", many: true},
		"steps":   {of: "pipelineStep", ours: "id", theirs: "pipelineId", many: true},
	},
	"pipelineStep": {
		"pipeline": {of: "pipeline", ours: "pipelineId", theirs: "id"},
		"batch":    {of: "batch", ours: "batchId", theirs: "id"},
		"job":      {of: "job", ours: "jobId", theirs: "id"},
	},
}

// kinds reads rows of each type, and wraps them as nodes.
var kinds = map[string]func(*API, context.Context, relation, []int64, service.Selection) (map[int64][]node, error){
	"job":          readRelated[models.Job]((*API).toJob),
	"batch":        readRelated[models.Batch](unmasked(toBatch)),
	"pipeline":     readRelated[models.Pipeline](unmasked(toPipeline)),
	"pipelineStep": readRelated[models.Step](unmasked(toStep)),
}

// unmasked wraps rows of which nothing is masked.
func unmasked[T, N any](wrap func(T) N) func(*API, T) N {
	return func(_ *API, row T) N { return wrap(row) }
}

func readRelated[T service.Row, N any, P pointer[N]](wrap func(*API, T) N) func(*API, context.Context, relation, []int64, service.Selection) (map[int64][]node, error) {
	return func(a *API, ctx context.Context, r relation, ids []int64, in service.Selection) (map[int64][]node, error) {
		rows, err := service.Related[T](ctx, a.svc, r.theirs, ids, in)
		if err != nil {
			return nil, err
		}
		nodes := make(map[int64][]node, len(rows))
		for id, list := range rows {
			for _, row := range list {
				n := wrap(a, row)
				nodes[id] = append(nodes[id], P(&n))
			}
		}
		return nodes, nil
	}
}

// load gives the nodes, of one type, what the present field asks for of their relations.
func (a *API) load(ctx context.Context, typ string, nodes []node) error {
	if len(nodes) == 0 {
		return nil
	}
	return a.loadFields(ctx, typ, nodes, graphql.GetFieldContext(ctx).Field)
}

func (a *API) loadFields(ctx context.Context, typ string, nodes []node, field graphql.CollectedField) error {
	operation := graphql.GetOperationContext(ctx)
	for _, f := range graphql.CollectFields(operation, field.Selections, []string{typ}) {
		r, is := relations[typ][f.Name]
		if !is {
			continue
		}
		if err := a.loadRelation(ctx, r, nodes, f, f.ArgumentMap(operation.Variables)); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

func (a *API) loadRelation(ctx context.Context, r relation, parents []node, f graphql.CollectedField, args map[string]any) error {
	in, err := relatedSelection(args)
	if err != nil {
		return err
	}
	in.AtMost = a.options.Limits.Rows
	ids := keysOf(parents, r.ours)
	children := map[int64][]node{}
	if len(ids) > 0 {
		if children, err = kinds[r.of](a, ctx, r, ids, in); err != nil {
			return err
		}
	}
	var all []node
	for _, list := range children {
		all = append(all, list...)
	}
	if len(all) > 0 {
		if err := a.loadFields(ctx, r.of, all, f); err != nil {
			return err
		}
	}
	for _, parent := range parents {
		var rows []node
		if id := parent.key(r.ours); id != nil {
			rows = children[*id]
		}
		parent.keep(f.Alias, rows)
	}
	return nil
}

// keysOf lists the keys that the parents have, each once.
func keysOf(parents []node, column string) []int64 {
	seen := make(map[int64]bool, len(parents))
	ids := make([]int64, 0, len(parents))
	for _, parent := range parents {
		if id := parent.key(column); id != nil && !seen[*id] {
			seen[*id] = true
			ids = append(ids, *id)
		}
	}
	return ids
}

func relatedSelection(args map[string]any) (in service.Selection, err error) {
	if order, ok := args["order"].(string); ok {
		in.Order = order
	}
	if in.Limit, err = intArgument(args["limit"]); err != nil {
		return in, err
	}
	in.Offset, err = intArgument(args["offset"])
	return in, err
}

func intArgument(v any) (*int, error) {
	if v == nil {
		return nil, nil
	}
	n, err := UnmarshalInt(v)
	return &n, err
}

// rowsOf returns the related rows that the present field shows, or why they could not be loaded.
func rowsOf[N node](ctx context.Context, r related) ([]N, error) {
	rows, err := kept[N](ctx, r)
	if err != nil {
		return nil, err
	}
	return counted(ctx, rows)
}

// kept returns what was loaded ahead for the present field.
func kept[N node](ctx context.Context, r related) ([]N, error) {
	kept := r[graphql.GetFieldContext(ctx).Field.Alias]
	if err, failed := kept.(error); failed {
		return nil, err
	}
	rows, _ := kept.([]node)
	typed := make([]N, len(rows))
	for i, row := range rows {
		typed[i] = row.(N)
	}
	return typed, nil
}

// rowOf returns the related row that the present field shows, or nil.
func rowOf[N node](ctx context.Context, r related) (none N, err error) {
	rows, err := kept[N](ctx, r)
	if err != nil || len(rows) == 0 {
		return none, err
	}
	return rows[0], nil
}
