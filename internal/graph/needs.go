package graph

import (
	"context"
	"net/http"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
)

// mutationsNeed is what each mutation of ours needs. Queries and subscriptions
// need to read. A host's mutation needs to operate, unless the host says otherwise.
var mutationsNeed = map[string]models.Level{
	"jobCreate":              models.LevelOperate,
	"jobUpdate":              models.LevelOperate, // or less, or more: see updateNeeds
	"batchCreate":            models.LevelOperate,
	"batchUpdate":            models.LevelOperate,
	"pipelineCreate":         models.LevelOperate,
	"pipelineUpdate":         models.LevelOperate,
	"pipelineStepCreate":     models.LevelOperate,
	"pipelineStepUpdate":     models.LevelOperate,
	"acquireJob":             models.LevelWork,
	"recover":                models.LevelOperate,
	"retryJob":               models.LevelOperate,
	"toggleHoldJobType":      models.LevelOperate,
	"startPipeline":          models.LevelOperate,
	"ping":                   models.LevelOperate,
	"pong":                   models.LevelWork,
	"workerMonitoringUpdate": models.LevelWork,
}

// workersSay are the fields of jobUpdate with which workers of graphql-node-jobs
// report and finish, and the statuses that they set. They do not prove that
// the job is theirs: whoever works may say this of any job.
var (
	workersSay = []string{"id", "output", "processingInfo", "status", "startedAt", "endedAt", "cancelledAt"}
	workersSet = []any{"processing", "successful", "failed", "cancelled", nil}
)

// updateNeeds are the levels of which one is needed to update a job so.
func updateNeeds(arguments map[string]any) []models.Level {
	job, _ := arguments["job"].(map[string]any)
	if job["deletedAt"] != nil {
		return []models.Level{models.LevelAdmin}
	}
	for field := range job {
		if !slices.Contains(workersSay, field) {
			return []models.Level{models.LevelOperate}
		}
	}
	if !slices.Contains(workersSet, job["status"]) {
		return []models.Level{models.LevelOperate}
	}
	return []models.Level{models.LevelOperate, models.LevelWork}
}

// needs are the levels of which one is needed for a root field of an operation.
func (a *API) needs(kind ast.Operation, f graphql.CollectedField, variables map[string]any) []models.Level {
	switch level, special := a.options.Levels[f.Name]; {
	case kind != ast.Mutation || f.Name == "__typename":
		return []models.Level{models.LevelRead}
	case f.Name == "jobUpdate":
		return updateNeeds(f.ArgumentMap(variables))
	case a.options.Mutations[f.Name] == nil:
		return []models.Level{mutationsNeed[f.Name]}
	case special:
		return []models.Level{level}
	}
	return []models.Level{models.LevelOperate}
}

// allowed refuses an operation as a whole that has a field which its caller may
// not use, before anything of it is executed.
func (a *API) allowed(ctx context.Context, operation *graphql.OperationContext) error {
	kind := operation.Operation.Operation
	root := map[ast.Operation]string{ast.Mutation: mutationsType, ast.Subscription: "Subscription"}[kind]
	if root == "" {
		root = "Root_Query"
	}
	for _, f := range graphql.CollectFields(operation, operation.Operation.SelectionSet, []string{root}) {
		if err := access.Check(ctx, a.needs(kind, f, operation.Variables)...); err != nil {
			refused := refusal(string(models.CodeOf(err)), "%s: %s", f.Name, err)
			refused.Path = ast.Path{ast.PathName(f.Alias)}
			return refused
		}
	}
	return nil
}

// unadmitted is the status and answer for a request that is not let in.
func (a *API) unadmitted(ctx context.Context, err error) (int, *graphql.Response) {
	told := a.present(ctx, err)
	status := http.StatusInternalServerError
	switch told.Extensions["code"] {
	case models.CodeForbidden:
		status = http.StatusForbidden
	case models.CodeUnauthorized:
		status = http.StatusUnauthorized
	case models.CodeUnavailable:
		status = http.StatusServiceUnavailable
	}
	told.Path = nil
	return status, &graphql.Response{Errors: gqlerror.List{told}}
}
