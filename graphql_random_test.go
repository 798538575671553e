package gnj_test

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// operations writes operations that are nearly right: the schema's words in
// the places where they belong, most often.
type operations struct{ *rapid.T }

func (o operations) one(words ...string) string {
	return rapid.SampledFrom(words).Draw(o.T, "word")
}

func (o operations) some(most int, part func() string) string {
	var parts []string
	for range rapid.IntRange(0, most).Draw(o.T, "number") {
		parts = append(parts, part())
	}
	return strings.Join(parts, " ")
}

// value is a value in the text of an operation, or in JSON.
func (o operations) value(depth int, asJSON bool) string {
	simple := []string{
		`0`, `1`, `-1`, `2147483647`, `2147483648`, `12345678901234567890`, `1.50`, `1e400`, `null`, `true`, `false`, `""`, `"a"`, `"1"`, `"x\u0000"`, `"\ud800"`, `"\ud83d\ude00"`,
		`"{\"a\":1}"`, `"reverse:id"`, `"queued"`, `"failed"`, `"successful"`, `"cancel-requested"`, `"processing"`, `"planned"`, `"done"`, `"2030-05-06"`, `"garbage"`, `"%"`, `"` + strings.Repeat("x", 256) + `"`,
	}
	if depth == 0 || rapid.Bool().Draw(o.T, "simple") {
		if !asJSON {
			simple = append(simple, `$a`, `$b`, `$c`, `QUEUED`, `"""b"""`)
		}
		return o.one(simple...)
	}
	var parts []string
	isList := rapid.Bool().Draw(o.T, "list")
	for range rapid.IntRange(0, 3).Draw(o.T, "length") {
		part := o.value(depth-1, asJSON)
		if !isList {
			part = o.key(asJSON) + ": " + part
		}
		parts = append(parts, part)
	}
	if isList {
		return "[" + strings.Join(parts, ",") + "]"
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (o operations) key(asJSON bool) string {
	key := o.one("id", "type", "status", "name", "input", "output", "batchId", "pipelineId", "jobId", "index", "startAfter", "deletedAt", "retryOfJobId", "jobUniqueId", "processingInfo",
		"isRecoverable", "workerId", "workerType", "workerStatus", "pipeline", "jobs", "batch", "and", "or", "not", "eq", "in", "between", "like", "regexp", "steps", "nope", "__typename")
	if asJSON {
		return `"` + key + `"`
	}
	return key
}

// typed is a value that an argument or field of that name takes, now and then any other.
func (o operations) typed(name string) string {
	if rapid.IntRange(0, 50).Draw(o.T, "any") == 0 {
		return o.value(2, false)
	}
	switch name {
	case "id", "limit", "offset", "batchId", "pipelineId", "jobId", "index", "retryOfJobId", "priorityLevel":
		return o.one("0", "1", "2", "3", "-1", "2147483647", "null", "$b")
	case "where", "input", "output", "processingInfo":
		return o.one(o.value(3, false), "{id: 1}", "{type: {in: [\"a\"]}}", "{steps: {one: {status: \"done\"}}}", "$a")
	case "order":
		return o.one(`"id"`, `"reverse:id"`, `"type,reverse:pipeline.name"`, `"nope"`, `""`, "null")
	case "status", "workerStatus":
		return o.one(`"queued"`, `"planned"`, `"processing"`, `"successful"`, `"failed"`, `"cancelled"`, `"cancel-requested"`, `"done"`, `"nope"`, "null")
	case "startAfter", "startedAt", "deletedAt":
		return o.one(`"2030-05-06"`, `"2030-05-06T07:08:09.123Z"`, "1893456000000", "null")
	case "isRecoverable":
		return o.one("true", "false", "null", "$c")
	case "typeList":
		return o.one(`["a"]`, `["a", "b", "x"]`, `"a"`, `[]`)
	case "job", "batch", "pipeline", "pipelineStep":
		return "{" + o.fields(4, "id", "type", "type", "status", "input", "output", "batchId", "pipelineId", "processingInfo", "isRecoverable", "startAfter", "startedAt", "deletedAt", "retryOfJobId", "jobUniqueId", "name", "priorityLevel", "index", "jobId", "workerId") + "}"
	case "workers", "workerInfoInput":
		return "[{" + o.fields(3, "workerId", "workerType", "workerStatus") + "}]"
	}
	return o.one(`"a"`, `"b"`, `""`, "null", `"`+strings.Repeat("x", 256)+`"`, `"\u0000"`)
}

// fields are some of these, each once.
func (o operations) fields(most int, names ...string) string {
	var parts []string
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, most, rapid.ID).Draw(o.T, "names") {
		parts = append(parts, name+": "+o.typed(name))
	}
	return strings.Join(parts, ", ")
}

func (o operations) arguments(most int, names ...string) string {
	list := o.fields(most, names...)
	if list == "" {
		return ""
	}
	return "(" + list + ")"
}

func (o operations) directive() string {
	if rapid.IntRange(0, 10).Draw(o.T, "directed") > 0 {
		return ""
	}
	return o.one("@skip(if: $c)", "@include(if: false)", "@include(if: true)", "@skip(if: null)", "@include", "@nope")
}

// related are the relations of each type.
var related = map[string]map[string]string{
	"job":          {"batch": "batch", "pipeline": "pipeline"},
	"batch":        {"pipeline": "pipeline", "jobs": "job"},
	"pipeline":     {"batches": "batch", "jobs": "job", "steps": "pipelineStep"},
	"pipelineStep": {"job": "job", "batch": "batch", "pipeline": "pipeline"},
}

// selection is what is asked of a row of that type.
func (o operations) selection(of string, depth int) string {
	return "{ __typename " + o.some(3, func() string {
		field := o.one("id", "status", "createdAt", "x: id", "x: id", "...{ id }", "...on "+of+" { y: id }")
		if rapid.IntRange(0, 50).Draw(o.T, "odd") == 0 {
			field = o.one("...f", "...g", "nope", "x: status", "id { id }")
		}
		if relations := related[of]; depth > 0 && rapid.Bool().Draw(o.T, "related") {
			name := rapid.SampledFrom(slices.Sorted(maps.Keys(relations))).Draw(o.T, "relation")
			arguments := []string{"order", "limit", "offset"}
			if name == "batch" || name == "pipeline" || name == "job" {
				arguments = arguments[:1]
			}
			alias := fmt.Sprintf("r%d: ", rapid.IntRange(0, 1000).Draw(o.T, "alias"))
			field = alias + name + o.arguments(2, arguments...) + o.selection(relations[name], depth-1)
		}
		return field + " " + o.directive()
	}) + " }"
}

// root is a field of a query, with its arguments and what is asked of it.
func (o operations) root() string {
	name := o.one("job", "batch", "pipeline", "pipelineStep", "jobCount", "batchCount", "jobHoldType", "workerMonitoring")
	field := name + o.arguments(2, "id", "where", "limit", "order", "offset")
	switch {
	case related[name] != nil:
		return field + o.selection(name, 3)
	case strings.HasSuffix(name, "Count"):
		return field
	}
	return field + "{ id }"
}

// change is a field of a mutation.
func (o operations) change() string {
	switch name := o.one("jobCreate", "jobUpdate", "batchCreate", "batchUpdate", "pipelineCreate", "pipelineUpdate", "pipelineStepCreate", "pipelineStepUpdate", "row", "hold", "workers"); name {
	case "row":
		verb := o.one("acquireJob(typeList: "+o.typed("typeList")+")", "recover(id: "+o.one("1", "2", "0")+")", "retryJob(id: "+o.one("1", "2", "0")+")")
		return verb + o.selection("job", 2)
	case "hold":
		return o.one(`toggleHoldJobType(type: "x") { id }`, "startPipeline(id: 1)"+o.selection("pipeline", 2))
	case "workers":
		return o.one("ping", "pong"+o.arguments(1, "workerInfoInput"), "workerMonitoringUpdate"+o.arguments(1, "workers")) + "{ success }"
	default:
		of := strings.TrimSuffix(strings.TrimSuffix(name, "Create"), "Update")
		return name + "(" + of + ": " + o.input(of) + ")" + o.selection(of, 2)
	}
}

func (o operations) input(of string) string {
	names := map[string][]string{
		"job": {"id", "type", "type", "status", "input", "output", "batchId", "pipelineId", "processingInfo", "isRecoverable", "startAfter", "startedAt", "deletedAt",
			"retryOfJobId", "jobUniqueId", "name", "priorityLevel", "workerId"},
		"batch": {"id", "status", "pipelineId"}, "pipeline": {"id", "status", "name", "metadata"}, "pipelineStep": {"id", "status", "pipelineId", "jobId", "batchId", "index"},
	}
	return "{" + o.fields(5, names[of]...) + "}"
}

// operation is a query or a mutation with the variables and fragments it uses, most often.
func (o operations) operation() string {
	kind, part := "query", o.root
	if rapid.Bool().Draw(o.T, "mutation") {
		kind, part = "mutation", o.change
	}
	fields := ""
	for i := range rapid.IntRange(1, 3).Draw(o.T, "fields") {
		fields += fmt.Sprintf(" f%d: %s %s", i, part(), o.directive())
	}
	var variables []string
	for name, types := range map[string][]string{
		"$a": {"SequelizeJSON", "SequelizeJSON = {id: 1.50}"}, "$b": {"Int", "Int = 1", "Int = 12345678901"}, "$c": {"Boolean!", "Boolean = true"},
	} {
		if strings.Contains(fields, name) {
			variables = append(variables, name+": "+o.one(types...))
		}
	}
	slices.Sort(variables)
	text := kind + " q"
	if len(variables) > 0 {
		text += "(" + strings.Join(variables, ", ") + ")"
	}
	text += " {" + fields + " }"
	if strings.Contains(fields, "...f") {
		text += o.one("fragment f on job { id }", "fragment f on job { batch { jobs { ...f } } }", "fragment f on job { id ...g } fragment g on pipeline { id }")
	}
	return text
}

func TestGraphQL_answersWhateverIsAsked(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		var log logLines
		options := own(database, "")
		options.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		s := serveHTTP(t, open(t, options))
		executed := 0
		rapid.Check(t, func(rt *rapid.T) {
			if s.answersWell(rt, &log) == http.StatusOK {
				executed++
			}
		})
		require.NotZero(t, executed, "none of it made sense")
	})
}

// answersWell asks something, and returns the status.
func (s httpServer) answersWell(rt *rapid.T, log *logLines) int {
	o := operations{rt}
	query := o.operation()
	variables := fmt.Sprintf(`{"a": %s, "b": %s, "c": %s}`, o.value(3, true), o.one("1", "2", "null", o.value(1, true)), o.one("true", "false", "null", o.value(1, true)))
	answer := s.query(query, variables)
	if answer.status != http.StatusOK && answer.status != http.StatusBadRequest {
		rt.Fatalf("status %d: %s %s\n%s", answer.status, query, variables, answer.text)
	}
	for _, e := range answer.Errors {
		if e.Message == "" || e.Extensions.Code == "" || e.Extensions.Code == string(models.CodeInternal) {
			rt.Fatalf("a fault of ours: %s %s\n%s\n%s", query, variables, answer.text, log.String())
		}
	}
	return answer.status
}
