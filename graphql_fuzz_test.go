package gnj_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/teamstarter/gnj"
)

// FuzzGraphQL sends any text as an operation, with any text as its variables:
// it is always answered with JSON, and never as a fault of ours.
func FuzzGraphQL(f *testing.F) {
	text, err := os.ReadFile("testdata/graphql-scenarios.json")
	if err != nil {
		f.Fatal(err)
	}
	var scenarios []scenario
	if err := json.Unmarshal(text, &scenarios); err != nil {
		f.Fatal(err)
	}
	for _, s := range scenarios {
		for _, step := range s.Steps {
			if step.Request != nil {
				variables, _ := json.Marshal(step.Request.Variables)
				f.Add(step.Request.Query, string(variables), step.Request.OperationName)
			}
		}
	}
	for _, h := range hostile {
		if len(h.query) < 5000 {
			f.Add(h.query, `{"i": {"a": [1, "x", null]}}`, "")
		}
	}
	f.Add(`query a($s: Boolean = true, $l: [Int]) { job(limit: 2) { id @skip(if: $s) batch { jobs(limit: 1) { id } } } }`, `{"s": null, "l": 1}`, "a")
	f.Add(`mutation($j: jobInput = {type: "a", input: {n: 1.50}}, $t: [String!]! = "a") { jobCreate(job: $j) { input } acquireJob(typeList: $t) { id } }`, `{"j": null}`, "")
	f.Add(`{ job(where: {and: [{type: {like: "a%"}}, {not: {id: {between: [1, 2]}}}]}, order: "reverse:pipeline.name,id") { pipeline { steps { job { input } } } } }`, `{}`, "")
	jobs := open(f, gnj.Options{Database: ":memory:", Logger: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, query, variables, operationName string) {
		if !json.Valid([]byte(variables)) {
			variables = "null"
		}
		text, _ := json.Marshal(query)
		name, _ := json.Marshal(operationName)
		body := `{"query":` + string(text) + `,"variables":` + variables + `,"operationName":` + string(name) + `}`
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		jobs.ServeHTTP(w, r)
		answer := w.Body.String()
		switch {
		case w.Code != http.StatusOK && w.Code != http.StatusBadRequest:
			t.Fatalf("status %d: %s\n%s", w.Code, body, answer)
		case !json.Valid([]byte(answer)):
			t.Fatalf("no JSON: %s\n%s", body, answer)
		case strings.Contains(answer, "something went wrong"):
			t.Fatalf("%s\n%s", body, answer)
		}
	})
}
