package gnj_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/service"
)

// ends reads until the connection ends, and returns why.
func (c socketClient) ends() websocket.StatusCode {
	for {
		if _, err := c.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// Clients of graphql-ws connect again after 1001.
func TestSocket_isClosedWithTheHandler(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		var all []socketClient
		for range 10 {
			c := greet(t, endpoint)
			c.start("1", "subscription { jobCreated { id } }")
			c.start("2", "subscription { pinged { success } }")
			c.settled()
			all = append(all, c)
		}
		all = append(all, dial(t, endpoint, transport), greet(t, endpoint))
		var reading sync.WaitGroup
		codes := make([]websocket.StatusCode, len(all))
		for i, c := range all {
			reading.Go(func() { codes[i] = c.ends() })
		}
		begun := time.Now()
		require.NoError(t, jobs.Close())
		require.Less(t, time.Since(begun), 3*time.Second, "nobody is waited for who says goodbye")
		reading.Wait()
		for _, code := range codes {
			require.Equal(t, websocket.StatusGoingAway, code)
		}
		dial(t, endpoint, transport).wantClosed(websocket.StatusGoingAway, "the server is shutting down")
	})
}

func TestSocket_isCutOffWhenNobodySaysGoodbye(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes some seconds, which is what it is about")
	}
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		dial(t, endpoint, transport)
		for range 10 { // who does not read answers nothing
			greet(t, endpoint).start("1", "subscription { jobCreated { id } }")
		}
		begun := time.Now()
		require.NoError(t, jobs.Close())
		require.Less(t, time.Since(begun), 5*time.Second)
	})
}

// blocking are options with a mutation that blocks.
func blocking(database string, block func(context.Context)) gnj.Options {
	return gnj.Options{Database: database, GraphQL: gnj.GraphQL{
		SDL: "extend type Root_Mutations { block: Boolean }",
		Mutations: map[string]gnj.Mutation{"block": func(ctx context.Context, _ *service.Service, _ json.RawMessage) (any, error) {
			block(ctx)
			return true, nil
		}},
	}}
}

func TestSocket_givesBackWhatCouldNotBeDelivered(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(c socketClient, jobs *gnj.Handler) error{
		"the client completes":    func(c socketClient, _ *gnj.Handler) error { return c.try(`{"id":"1","type":"complete"}`) },
		"the client says goodbye": func(c socketClient, _ *gnj.Handler) error { return c.conn.Close(websocket.StatusNormalClosure, "") },
		"the client goes away":    func(c socketClient, _ *gnj.Handler) error { return c.conn.CloseNow() },
		"the client is wrong":     func(c socketClient, _ *gnj.Handler) error { return c.try(`{`) },
		"the server shuts down": func(c socketClient, jobs *gnj.Handler) error {
			go c.ends()
			return jobs.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.EachURL(t, func(t *testing.T, database string) {
				begun := make(chan struct{})
				jobs := open(t, blocking(database, func(ctx context.Context) {
					close(begun)
					<-ctx.Done()
				}))
				createJob(t, jobs)
				c := greet(t, serveHTTP(t, jobs).URL+"/graphql")
				c.start("1", `mutation { acquireJob(typeList: ["a"]) { id } block }`)
				<-begun
				require.NoError(t, leave(c, jobs))
				again := open(t, gnj.Options{Database: database})
				got, err := again.Service().Acquire(t.Context(), service.Acquire{Types: []string{"a"}, Wait: 20 * time.Second})
				require.NoError(t, err)
				require.Len(t, got, 1)
				require.Equal(t, 1, got[0].GivenBack, "no attempt was spent")
			})
		})
	}
}

func (c socketClient) try(text string) error {
	return c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text))
}

func TestSocket_deliversAJobOnce(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		createJob(t, jobs)
		c := greet(t, endpoint)
		c.start("1", `mutation { acquireJob(typeList: ["a"]) { id status } }`)
		c.want(`{"id":"1","type":"next","payload":{"data":{"acquireJob":{"id":1,"status":"processing"}}}}`)
		c.want(`{"id":"1","type":"complete"}`)
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
		c = greet(t, endpoint)
		c.start("1", `mutation { acquireJob(typeList: ["a"]) { id status } }`)
		c.want(`{"id":"1","type":"next","payload":{"data":{"acquireJob":null}}}`)
		c.want(`{"id":"1","type":"complete"}`)
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	})
}

// The host's code may hang: Close does not.
func TestSocket_closeIsBounded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes some seconds, which is what it is about")
	}
	begun, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	jobs := open(t, blocking(":memory:", func(context.Context) {
		close(begun)
		<-end
	}))
	c := greet(t, serveHTTP(t, jobs).URL+"/graphql")
	c.start("1", `mutation { block }`)
	<-begun
	go c.ends()
	closing := time.Now()
	require.NoError(t, jobs.Close())
	require.Less(t, time.Since(closing), 15*time.Second)
}
