package gnj_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

// told reads n messages and compares them, in whatever order they come, as
// "id: data".
func (c socketClient) told(want ...string) {
	c.t.Helper()
	got := make([]string, len(want))
	for i := range got {
		var m struct {
			ID      string
			Payload struct{ Data json.RawMessage }
		}
		require.NoError(c.t, json.Unmarshal([]byte(c.next()), &m))
		got[i] = m.ID + ": " + string(m.Payload.Data)
	}
	require.ElementsMatch(c.t, want, got)
}

// changer changes jobs by one door.
type changer struct {
	create func() int64
	rename func(id int64)
	remove func(id int64)
}

// graphqlChanger changes by mutations.
func graphqlChanger(t *testing.T, base string) changer {
	do := func(query string, variables map[string]any) map[string]any {
		answer := graphqlRequest{Query: query, Variables: variables}.send(t, base+"/graphql")
		require.Nil(t, answer["errors"])
		return asObject(answer["data"])
	}
	return changer{
		create: func() int64 {
			return int64(asObject(do(`mutation { jobCreate(job: {type: "a"}) { id } }`, nil)["jobCreate"])["id"].(float64))
		},
		rename: func(id int64) {
			do(`mutation($id: Int) { jobUpdate(job: {id: $id, name: "new"}) { id } }`, map[string]any{"id": id})
		},
		remove: func(id int64) {
			do(`mutation($id: Int) { jobUpdate(job: {id: $id, deletedAt: "2030-01-01T00:00:00Z"}) { id } }`, map[string]any{"id": id})
		},
	}
}

func restChanger(t *testing.T, base string) changer {
	do := func(method, path, body string) (answer struct{ ID int64 }) {
		r, err := http.NewRequestWithContext(t.Context(), method, base+"/api/v1/jobs"+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Less(t, response.StatusCode, 300)
		if method == http.MethodPost {
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
		}
		return answer
	}
	return changer{
		create: func() int64 { return do("POST", "", `{"type": "a"}`).ID },
		rename: func(id int64) { do("PATCH", fmt.Sprint("/", id), `{"name": "new"}`) },
		remove: func(id int64) { do("DELETE", fmt.Sprint("/", id), "") },
	}
}

// serviceChanger changes in process; with is given the service to do it with.
func serviceChanger(t *testing.T, with func(func(*service.Service))) changer {
	name := "new"
	return changer{
		create: func() (id int64) {
			with(func(s *service.Service) {
				created, err := s.CreateJob(t.Context(), service.NewJob{Type: "a"})
				require.NoError(t, err)
				id = created.ID
			})
			return id
		},
		rename: func(id int64) {
			with(func(s *service.Service) {
				_, err := s.EditJob(t.Context(), id, service.EditJob{Name: service.Set(name)})
				require.NoError(t, err)
			})
		},
		remove: func(id int64) {
			with(func(s *service.Service) { require.NoError(t, s.DeleteJob(t.Context(), id)) })
		},
	}
}

// subscribed is everything a client can listen to.
func subscribed(t *testing.T, endpoint string, id int64) socketClient {
	c := greet(t, endpoint)
	c.start("created", `subscription { jobCreated { id name } }`)
	c.start("updated", `subscription { jobUpdated { id name } }`)
	c.start("deleted", `subscription { gone: jobDeleted { id name } }`)
	variables := map[string]any{"id": id}
	c.start("created one", `subscription($id: Int) { jobCreated(id: $id) { ...one } } fragment one on job { id }`, variables)
	c.start("updated one", `subscription($id: Int) { jobUpdated(id: $id) { id } }`, variables)
	c.start("deleted one", `subscription($id: Int) { jobDeleted(id: $id) { id } }`, variables)
	c.settled()
	return c
}

// changes does each kind of change, of which the second job has two subscribers.
func (c socketClient) changes(by changer, one int64) {
	c.t.Helper()
	and := func(id int64, kind, field, all string) []string {
		if id != one {
			return []string{all}
		}
		return []string{all, fmt.Sprintf(`%s one: {"%s":{"id":%d}}`, kind, field, id)}
	}
	id := by.create()
	c.told(and(id, "created", "jobCreated", fmt.Sprintf(`created: {"jobCreated":{"id":%d,"name":null}}`, id))...)
	by.rename(id)
	c.told(and(id, "updated", "jobUpdated", fmt.Sprintf(`updated: {"jobUpdated":{"id":%d,"name":"new"}}`, id))...)
	by.remove(id)
	c.told(and(id, "deleted", "jobDeleted", fmt.Sprintf(`deleted: {"gone":{"id":%d,"name":"new"}}`, id))...)
	c.settled()
}

func TestSubscriptions_tellWhatEveryDoorDoes(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct {
		path  string
		mount func(*gnj.Handler) http.Handler
	}{
		"at the root": {"", atRoot}, "below a prefix": {"/gnj", belowPrefix}, "in an Echo group": {"/gnj", inEchoGroup},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				db := hostDB(t, database)
				jobs := open(t, gnj.Options{DB: db})
				base := serveHTTP(t, m.mount(jobs)).URL + m.path
				const one = 2
				c := subscribed(t, base+"/graphql", one)
				c.changes(graphqlChanger(t, base), one)
				c.changes(restChanger(t, base), one)
				c.changes(serviceChanger(t, func(do func(*service.Service)) { do(jobs.Service()) }), one)
				c.changes(serviceChanger(t, func(do func(*service.Service)) {
					tx := db.Begin()
					do(jobs.Service().In(tx))
					c.settled() // nothing is told before the commit
					require.NoError(t, tx.Commit().Error)
				}), one)
				c.changes(serviceChanger(t, func(do func(*service.Service)) {
					require.NoError(t, jobs.Service().Transaction(t.Context(), func(tx *service.Service) error {
						do(tx)
						c.settled()
						return nil
					}))
				}), one)
			})
		})
	}
}

func TestSubscriptions_doNotTellWhatTheHostRollsBack(t *testing.T) {
	t.Parallel()
	storetest.EachURL(t, func(t *testing.T, database string) {
		db := hostDB(t, database)
		jobs := open(t, gnj.Options{DB: db})
		c := subscribed(t, serveHTTP(t, jobs).URL+"/graphql", 100)
		job := createJob(t, jobs)
		c.told(`created: {"jobCreated":{"id":1,"name":null}}`)
		tx := db.Begin()
		in := jobs.Service().In(tx)
		_, err := in.CreateJob(t.Context(), service.NewJob{Type: "lost"})
		require.NoError(t, err)
		require.NoError(t, in.DeleteJob(t.Context(), job.ID))
		require.NoError(t, tx.Rollback().Error)
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			_, err := jobs.Service().In(tx).EditJob(t.Context(), job.ID, service.EditJob{Name: service.Set("kept")})
			return err
		}))
		c.told(`updated: {"jobUpdated":{"id":1,"name":"kept"}}`)
		c.settled()
	})
}

func TestSubscriptions_tellWhatWorkersSay(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		c.start("ping", `subscription { pinged { success } }`)
		c.start("pong", `subscription { ponged { workerId workerType workerStatus } }`)
		c.start("monitor", `subscription { workerMonitoringUpdated { workerId workerType workerStatus } }`)
		c.settled()
		id, typ, status := "7", "a", "AVAILABLE"
		workers := []service.WorkerInfo{{WorkerID: &id, WorkerType: &typ, WorkerStatus: &status}}
		const told = `[{"workerId":"7","workerType":"a","workerStatus":"AVAILABLE"}]`
		const given = `[{workerId: "7", workerType: "a", workerStatus: "AVAILABLE"}]`
		for name, by := range map[string]struct{ ping, pong, monitor func() }{
			"in process": {
				func() { require.NoError(t, jobs.Service().Ping(t.Context())) },
				func() { require.NoError(t, jobs.Service().Pong(t.Context(), workers)) },
				func() { require.NoError(t, jobs.Service().MonitorWorkers(t.Context(), workers)) },
			},
			"GraphQL": {
				mutating(t, endpoint, `mutation { ping { success } }`),
				mutating(t, endpoint, `mutation { pong(workerInfoInput: `+given+`) { success } }`),
				mutating(t, endpoint, `mutation { workerMonitoringUpdate(workers: `+given+`) { success } }`),
			},
		} {
			t.Run(name, func(t *testing.T) {
				by.ping()
				c.told(`ping: {"pinged":{"success":true}}`)
				by.pong()
				c.told(`pong: {"ponged":` + told + `}`)
				by.monitor()
				c.told(`monitor: {"workerMonitoringUpdated":` + told + `}`)
				c.settled()
			})
		}
	})
}

func mutating(t *testing.T, endpoint, query string) func() {
	return func() { require.Nil(t, graphqlRequest{Query: query}.send(t, endpoint)["errors"]) }
}

func TestSubscriptions_relateTheirJobs(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		c.start("1", `subscription { jobUpdated { id batch { id jobs(order: "reverse:id") { id } } up: pipeline { name steps { index job { id } } } } }`)
		c.start("wrong", `subscription { it: jobUpdated { id up: pipeline(order: "nope") { id } } }`)
		c.settled()
		name := "one"
		newPipeline(t, jobs.Service(), name)
		_, err := jobs.Service().StartPipeline(t.Context(), 1)
		require.NoError(t, err)
		for range 2 {
			text := c.next()
			if strings.Contains(text, `"wrong"`) {
				require.Contains(t, text, `"data":{"it":{"id":1,"up":null}}`, "the event is told all the same")
				require.Contains(t, text, `"path":["it","up"]`)
				require.Contains(t, text, "order names nope")
				continue
			}
			require.JSONEq(t, `{"id":"1","type":"next","payload":{"data":{"jobUpdated":{"id":1,"batch":null,"up":{"name":"one","steps":[`+
				`{"index":1,"job":{"id":1}},{"index":2,"job":null},{"index":3,"job":{"id":4}}]}}}}}`, text)
		}
		c.send(`{"id":"wrong","type":"complete"}`)
		c.settled()
		got, err := jobs.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}})
		require.NoError(t, err)
		require.Contains(t, c.next(), `"id":1`)
		finish(t, jobs, got[0], models.JobSuccessful)
		require.Contains(t, c.next(), `"id":1`)
		for range 2 {
			require.Contains(t, c.next(), `"batch":{"id":1,"jobs":[{"id":3},{"id":2}]},"up":null`)
		}
		c.settled()
	})
}

// Operations begin in the order they were sent: who subscribes and then
// changes something, by one connection, is told of it.
func TestSubscriptions_beginInOrder(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, _ *gnj.Handler, endpoint string) {
		for range 20 {
			c := greet(t, endpoint)
			c.start("told", `subscription { pinged { success } }`)
			c.start("tell", `mutation { ping { success } }`)
			var told, answered, completed bool
			for !told || !answered || !completed {
				text := c.next()
				told = told || strings.Contains(text, "pinged")
				answered = answered || strings.Contains(text, `"ping"`)
				completed = completed || strings.Contains(text, `"complete"`)
			}
			require.NoError(t, c.conn.CloseNow())
		}
	})
}

func TestSubscriptions_tellWhatOtherProcessesDo(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	here, there := open(t, gnj.Options{Database: database}), open(t, gnj.Options{Database: database})
	base := serveHTTP(t, there).URL
	const one = 2
	c := subscribed(t, serveHTTP(t, here).URL+"/graphql", one)
	c.changes(graphqlChanger(t, base), one)
	c.changes(restChanger(t, base), one)
	c.changes(serviceChanger(t, func(do func(*service.Service)) { do(there.Service()) }), one)
	c.start("ping", `subscription { pinged { success } }`)
	c.settled()
	mutating(t, base+"/graphql", `mutation { ping { success } }`)()
	c.told(`ping: {"pinged":{"success":true}}`)
}
