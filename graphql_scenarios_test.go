package gnj_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
)

// scenario is a recorded conversation with graphql-node-jobs. Where its answer
// was not the one its manual asks for, the recording has the manual's.
type scenario struct {
	Name  string
	Steps []struct {
		WaitMs   int // what graphql-node-jobs needed to settle; nothing here needs any
		Request  *graphqlRequest
		Response map[string]any
	}
}

type graphqlRequest struct {
	Method        string         `json:"method,omitempty"`
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables,omitempty"`
	OperationName string         `json:"operationName,omitempty"`
}

// TestGraphQL_answersAsRecorded replays what graphql-node-jobs answered, each
// conversation on an empty database, at the root and in an Echo group.
func TestGraphQL_answersAsRecorded(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/graphql-scenarios.json")
	require.NoError(t, err)
	var scenarios []scenario
	require.NoError(t, json.Unmarshal(text, &scenarios))
	require.Len(t, scenarios, 33)
	mounts := map[string]func(*gnj.Handler) http.Handler{"": atRoot, "/gnj": inEchoGroup}
	for _, s := range scenarios {
		for mount, mounted := range mounts {
			t.Run(s.Name+" at "+mount+"/", func(t *testing.T) {
				t.Parallel()
				storetest.EachURL(t, func(t *testing.T, database string) {
					jobs, err := gnj.New(own(database, ""))
					require.NoError(t, err)
					t.Cleanup(func() { _ = jobs.Close() })
					server := httptest.NewServer(mounted(jobs))
					t.Cleanup(server.Close)
					s.replay(t, server.URL+mount+"/graphql")
				})
			})
		}
	}
}

func (s scenario) replay(t *testing.T, endpoint string) {
	for i, step := range s.Steps {
		if step.Request == nil {
			continue
		}
		answer := step.Request.send(t, endpoint)
		if step.Response["errors"] == "any" {
			assert.NotEmpty(t, answer["errors"], "step %d", i)
			assert.True(t, empty(answer["data"]), "step %d: no data besides the error, not %v", i, answer["data"])
			continue
		}
		sent, _ := json.Marshal(step.Request.Variables)
		require.Equal(t, any(step.Response), masked(answer, "", string(sent)), "step %d: %s", i, step.Request.Query)
	}
}

// empty reports an answer without the data of any field.
func empty(data any) bool {
	for _, value := range asObject(data) {
		if value != nil {
			return false
		}
	}
	return true
}

func asObject(v any) map[string]any {
	object, _ := v.(map[string]any)
	return object
}

func (r graphqlRequest) send(t *testing.T, endpoint string) map[string]any {
	var request *http.Request
	var err error
	if r.Method == http.MethodGet {
		request, err = http.NewRequestWithContext(t.Context(), r.Method, endpoint+"?query="+url.QueryEscape(r.Query), nil)
	} else {
		body, encode := json.Marshal(graphqlRequest{Query: r.Query, Variables: r.Variables, OperationName: r.OperationName})
		require.NoError(t, encode)
		request, err = http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader(body))
	}
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer), "%s", text)
	return answer
}

var moment = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// masked replaces the times that the scenario did not send, and cuts errors
// down to what clients look at, as in the recording.
func masked(v any, name, sent string) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			v[key] = masked(value, key, sent)
		}
		if _, isError := v["message"]; isError && v["extensions"] != nil {
			delete(v, "extensions")
			delete(v, "locations")
		}
	case []any:
		for i := range v {
			v[i] = masked(v[i], name, sent)
		}
	case string:
		if moment.MatchString(v) && !bytes.Contains([]byte(sent), []byte(v)) {
			return "<date>"
		}
	case float64:
		if name == "elapsedTime" {
			return "<ms>"
		}
	}
	return v
}
