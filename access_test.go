package gnj_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
)

// byHeader lets in by the level that the header X-Level says.
func byHeader(r *http.Request) (gnj.Access, error) {
	level, err := strconv.ParseUint(r.Header.Get("X-Level"), 10, 8)
	return gnj.Access{Level: gnj.Level(level), As: r.Header.Get("X-As")}, err
}

// levels are all that somebody may have.
var levels = []gnj.Level{0, gnj.LevelRead, gnj.LevelWork, gnj.LevelOperate, gnj.LevelWork | gnj.LevelOperate, gnj.LevelAdmin}

// accessMounts are ways to plug in, by the point they end up at.
var accessMounts = map[string]func(*gnj.Handler) http.Handler{
	"": func(jobs *gnj.Handler) http.Handler { return jobs },
	"/stripped": func(jobs *gnj.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/stripped/", http.StripPrefix("/stripped", jobs))
		return mux
	},
	"/gnj": inEchoGroup,
}

// addressesNeed is what each address needs; 0 is nothing.
var addressesNeed = map[gnj.Level][]string{
	0: {"readHealth", "dashboardFile"},
	gnj.LevelRead: {
		"listJobs", "readJob", "listWorkers", "listBatches", "readBatch", "listPipelines", "readPipeline", "listHolds", "readStats", "readMetrics",
		"readHistory", "readPipelineHistory", "explainJob", "readFailures", "streamEvents",
		"jobsPage", "jobPage", "jobText", "pipelinesPage", "pipelinePage", "addStepPage", "reviewPage", "typesPage", "workersPage", "failuresPage",
		"openapi", "docs", "docsStyle", "home", "graphqlQuery", "graphql", "graphqlExplorerFile",
	},
	gnj.LevelWork: {"acquireJobs", "reportJob", "finishJob", "finishJobs", "giveBackJobs"},
	gnj.LevelOperate: {
		"createJob", "createJobs", "editJob", "cancelJob", "retryJob", "recoverJob", "createBatch", "startBatch",
		"createPipeline", "startPipeline", "cancelPipeline", "resumePipeline", "addStep", "removeStep", "orderSteps", "holdType", "releaseType",
		"newJobPage", "newJobForm", "actPage", "actForm", "editJobPage", "editJobForm", "jobForm", "pipelineForm", "typesForm",
	},
	gnj.LevelAdmin: {"deleteJob"},
}

func TestAuthorize_heldAtEachAddressHoweverMounted(t *testing.T) {
	t.Parallel()
	needs := map[string]gnj.Level{}
	for level, names := range addressesNeed {
		for _, name := range names {
			needs[name] = level
		}
	}
	for point, mounted := range accessMounts {
		t.Run("at "+point, func(t *testing.T) {
			t.Parallel()
			jobs := open(t, gnj.Options{Database: ":memory:", Authorize: byHeader})
			server := serveHTTP(t, mounted(jobs))
			for _, route := range jobs.Routes() {
				needed, known := needs[route.Name]
				require.True(t, known, "say what %s needs", route.Name)
				require.Equal(t, needed, route.Needs, route.Name)
				path := strings.NewReplacer("{id}", "999", "{type}", "a", "{file}", "x", "{action}", "x", "{field}", "x").Replace(route.Path)
				if route.Name == "streamEvents" {
					path += "?every=0" // refused by who lets it in, so that it ends
				}
				for _, level := range levels {
					status, answer := server.as(level, route.Method, point+path, "{}")
					if needed == 0 || level.Allows(needed) {
						assert.NotContains(t, []int{401, 403, 500}, status, "%s for %s: %s", route.Name, level, answer)
						continue
					}
					assert.Equal(t, http.StatusForbidden, status, "%s for %s", route.Name, level)
					assert.Contains(t, answer, "needs the access", route.Name)
					assert.Contains(t, answer, level.String(), route.Name)
				}
			}
		})
	}
}

// as sends a request of somebody who may do what level says.
func (s httpServer) as(level gnj.Level, method, path, body string) (int, string) {
	s.t.Helper()
	return s.with(http.Header{"X-Level": {strconv.Itoa(int(level))}}, method, path, body)
}

// with sends a request with headers.
func (s httpServer) with(header http.Header, method, path, body string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	require.NoError(s.t, err)
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer.StatusCode, string(text)
}

func TestAuthorize_saysInTheDocumentWhatIsNeeded(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, open(t, gnj.Options{Database: ":memory:"}))
	_, text := server.with(nil, http.MethodGet, "/openapi.json", "")
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct{ Description string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	require.NotEmpty(t, document.Paths)
	for level, names := range addressesNeed {
		for _, path := range document.Paths {
			for _, operation := range path {
				if !slices.Contains(names, operation.OperationID) {
					continue
				}
				if level == 0 {
					require.NotContains(t, operation.Responses, "403", operation.OperationID)
					continue
				}
				require.Contains(t, operation.Responses["403"].Description, "needs the access "+level.String(), operation.OperationID)
				require.Contains(t, operation.Responses, "401", operation.OperationID)
			}
		}
	}
}

func TestAuthorize_everybodyMayDoEverythingByDefault(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:"})
	server := serveHTTP(t, jobs)
	createJob(t, jobs)
	status, answer := server.with(nil, http.MethodDelete, "/api/v1/jobs/1", "")
	require.Equal(t, http.StatusNoContent, status, answer)
}

func TestAuthorize_errorsAreAnsweredWithoutWhatIsInternal(t *testing.T) {
	t.Parallel()
	refusals := map[string]struct {
		err    error
		status int
		shown  string
	}{
		"forbidden":        {models.Forbidden("ask Anna"), 403, "ask Anna"},
		"wrapped":          {fmt.Errorf("secret: %w", models.Forbidden("ask Anna")), 403, "ask Anna"},
		"unauthorized":     {models.Unauthorized("sign in"), 401, "sign in"},
		"unavailable":      {models.Unavailable(errors.New("secret")), 503, "try again"},
		"any other":        {errors.New("secret"), 403, "you may not do this"},
		"another of ours":  {models.NotFound("secret"), 403, "you may not do this"},
		"a panic":          {nil, 500, "its log has the rest"},
		"nothing is known": {&models.Error{Code: models.CodeInternal, Message: "secret"}, 500, "its log has the rest"},
	}
	log := &logLines{}
	jobs := open(t, gnj.Options{Database: ":memory:", Logger: log.logger(), Authorize: func(r *http.Request) (gnj.Access, error) {
		refusal := refusals[r.Header.Get("X-Refusal")]
		if refusal.err == nil {
			panic("secret")
		}
		return gnj.Access{Level: gnj.LevelAdmin}, refusal.err
	}})
	server := serveHTTP(t, jobs)
	socket := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {transport},
	}
	for name, refusal := range refusals {
		for path, header := range map[string]http.Header{"/api/v1/jobs": {}, "/docs": {}, "/graphql": {}, "/graphql?socket": socket, "/graphql/assets/x": {}} {
			header = maps.Clone(header)
			header.Set("X-Refusal", name)
			status, answer := server.with(header, http.MethodGet, path, "")
			require.Equal(t, refusal.status, status, "%s at %s: %s", name, path, answer)
			require.Contains(t, answer, refusal.shown, "%s at %s", name, path)
			require.NotContains(t, answer, "secret", "%s at %s", name, path)
		}
	}
	require.Contains(t, log.String(), "panic in Options.Authorize: secret")
	status, _ := server.with(nil, http.MethodGet, "/api/v1/healthz", "")
	require.Equal(t, http.StatusOK, status, "probes are not asked who they are")
}

func TestAuthorize_challengesWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	server := serveHTTP(t, open(t, gnj.Options{Database: ":memory:", Authorize: func(*http.Request) (gnj.Access, error) {
		return gnj.Access{}, models.Unauthorized("sign in")
	}}))
	for _, path := range []string{"/api/v1/jobs", "/graphql"} {
		answer, err := server.Client().Get(server.URL + path)
		require.NoError(t, err)
		_ = answer.Body.Close()
		require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		require.Equal(t, "Bearer", answer.Header.Get("WWW-Authenticate"))
	}
}

func TestAuthorize_isNotAskedOutsideOfHTTP(t *testing.T) {
	t.Parallel()
	jobs := open(t, gnj.Options{Database: ":memory:", Authorize: byHeader})
	createJob(t, jobs)
}
