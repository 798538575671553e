package gnj_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj"
)

func TestSocket_speaksTheProtocol(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, _ *gnj.Handler, endpoint string) {
		c := dial(t, endpoint, "graphql-ws", transport)
		require.Equal(t, transport, c.conn.Subprotocol())
		c.send(`{"type":"ping"}`) // also before the greeting
		c.want(`{"type":"pong"}`)
		c.send(`{"type":"pong"}`)
		c.send(`{"type":"complete","id":"none"}`)
		c.send(`{"type":"connection_init","payload":{"token":"ignored"}}`)
		c.want(`{"type":"connection_ack"}`)
		c.send(`{"type":"ping","payload":{"n":[1,"<é>"]}}`)
		c.want(`{"type":"pong","payload":{"n":[1,"<é>"]}}`)
		c.send(`{"type":"pong","payload":{"n":1}}`)
		c.settled()
		c.start("1", `query A { __typename } query B($n: Int!) { job(limit: $n) { id } }`)
		c.wantError("1", "operation")
		c.send(`{"id":"1","type":"subscribe","payload":{"operationName":"B","variables":{"n":1},"extensions":{},` +
			`"query":"query A { __typename } query B($n: Int!) { job(limit: $n) { id } }"}}`)
		c.want(`{"id":"1","type":"next","payload":{"data":{"job":[]}}}`)
		c.want(`{"id":"1","type":"complete"}`)
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, "bye"))
	})
}

func TestSocket_staysWhenAnOperationIsWrong(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, _ *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		for query, why := range map[string]string{
			"{":           "Expected Name",
			"{ nothing }": "nothing",
			"subscription { jobCreated { nothing } }":                 "nothing",
			"subscription { jobCreated(id: \"x\") { id } }":           "Int",
			"subscription { pinged { success } ponged { workerId } }": "one",
			"query($n: Int!) { job(limit: $n) { id } }":               "n",
			"{" + strings.Repeat("a:__typename ", 20000) + "}":        "token limit",
			strings.Repeat("{job{batch{jobs", 10):                     "Expected",
		} {
			c.start("1", query)
			c.wantError("1", why)
		}
		c.start("1", `mutation { jobCreate(job: {type: ""}) { id } }`)
		require.Contains(t, c.next(), `"next"`, "what could be executed has an answer, with errors")
		c.want(`{"id":"1","type":"complete"}`)
		c.settled()
	})
}

// A client of graphql-ws gives up after these codes: what it sends is wrong.
func TestSocket_closesWithTheProtocolsCodes(t *testing.T) {
	t.Parallel()
	const hello = `{"type":"connection_init"}`
	long := strings.Repeat("x", 1001)
	eachSocket(t, gnj.Options{MaxBodyBytes: 100_000}, func(t *testing.T, _ *gnj.Handler, endpoint string) {
		for name, test := range map[string]struct {
			messages []string
			code     websocket.StatusCode
			reason   string
		}{
			"an operation before the greeting": {[]string{`{"id":"1","type":"subscribe","payload":{"query":"{job{id}}"}}`}, 4401, "connection_init"},
			"two greetings":                    {[]string{hello, hello}, 4429, "Too many"},
			"one id twice": {[]string{hello, `{"id":"1","type":"subscribe","payload":{"query":"subscription{pinged{success}}"}}`,
				`{"id":"1","type":"subscribe","payload":{"query":"{job{id}}"}}`}, 4409, "Subscriber for 1 already exists"},
			"no JSON":                      {[]string{hello, `{`}, 4400, "JSON"},
			"nothing":                      {[]string{hello, ``}, 4400, "JSON"},
			"a list":                       {[]string{`[]`}, 4400, "JSON"},
			"null":                         {[]string{`null`}, 4400, "unknown type"},
			"a deep list":                  {[]string{strings.Repeat("[", 50_000)}, 4400, "JSON"},
			"an unknown type":              {[]string{hello, `{"type":"start"}`}, 4400, "unknown type"},
			"the server's own message":     {[]string{hello, `{"type":"connection_ack"}`}, 4400, "unknown type"},
			"an id that is a number":       {[]string{hello, `{"id":1,"type":"complete"}`}, 4400, "JSON"},
			"no id":                        {[]string{hello, `{"type":"subscribe","payload":{"query":"{job{id}}"}}`}, 4400, "id"},
			"nothing to complete":          {[]string{hello, `{"type":"complete"}`}, 4400, "id"},
			"a huge id":                    {[]string{hello, `{"id":"` + long + `","type":"subscribe","payload":{"query":"{job{id}}"}}`}, 4400, "1000"},
			"no operation":                 {[]string{hello, `{"id":"1","type":"subscribe"}`}, 4400, "the payload"},
			"an operation without a query": {[]string{hello, `{"id":"1","type":"subscribe","payload":{"variables":{}}}`}, 4400, "query"},
			"a list of operations":         {[]string{hello, `{"id":"1","type":"subscribe","payload":[]}`}, 4400, "not a JSON object"},
			"a query that is none":         {[]string{hello, `{"id":"1","type":"subscribe","payload":{"query":[]}}`}, 4400, "query must be a string"},
			"variables that are none":      {[]string{hello, `{"id":"1","type":"subscribe","payload":{"query":"{job{id}}","variables":[1]}}`}, 4400, "variables must be an object"},
			"a ping with a number":         {[]string{`{"type":"ping","payload":1}`}, 4400, "payload"},
			"a greeting with a list":       {[]string{`{"type":"connection_init","payload":[]}`}, 4400, "payload"},
			"too long a message":           {[]string{hello, `{"type":"ping","payload":{"x":"` + strings.Repeat("x", 100_000) + `"}}`}, 1009, "100000 bytes"},
		} {
			t.Run(name, func(t *testing.T) {
				c := dial(t, endpoint, transport)
				for _, message := range test.messages {
					c.send(message)
				}
				if test.messages[0] == hello {
					c.want(`{"type":"connection_ack"}`)
				}
				c.wantClosed(test.code, test.reason)
			})
		}
		t.Run("garbage in a binary frame", func(t *testing.T) {
			c := greet(t, endpoint)
			require.NoError(t, c.conn.Write(t.Context(), websocket.MessageBinary, []byte{0, 0xff, '{'}))
			c.wantClosed(4400, "JSON")
		})
		t.Run("an id cut in the middle of a letter", func(t *testing.T) {
			c := greet(t, endpoint)
			id := "x" + strings.Repeat("é", 200)
			c.start(id, "subscription { pinged { success } }")
			c.start(id, "subscription { pinged { success } }")
			c.wantClosed(4409, "Subscriber for xé")
		})
		for name, protocols := range map[string][]string{"no subprotocol": nil, "another subprotocol": {"graphql-ws"}} {
			t.Run(name, func(t *testing.T) { dial(t, endpoint, protocols...).wantClosed(4406, transport) })
		}
	})
}

func TestSocket_boundsWhatGoesOnAtOnce(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		for i := range 200 {
			c.start(fmt.Sprint(i), "subscription { pinged { success } }")
		}
		c.start("more", "{ job { id } }")
		c.wantError("more", "more than 200 operations at once")
		c.send(`{"id":"7","type":"complete"}`)
		c.settled()
		require.NoError(t, jobs.Service().Ping(t.Context()))
		told := map[string]bool{}
		for range 199 {
			told[c.next()] = true
		}
		require.Len(t, told, 199)
		c.settled()
	})
}

// Ids may be used again, and completing one of before ends nothing that is new.
func TestSocket_endsOperationsFromEitherSide(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		for range 50 {
			c.start("1", "{ job { id } }")
			c.want(`{"id":"1","type":"next","payload":{"data":{"job":[]}}}`)
			c.want(`{"id":"1","type":"complete"}`)
			c.start("1", "{ nothing }")
			c.wantError("1", "nothing")
		}
		for range 50 {
			c.start("1", "subscription { pinged { success } }")
			c.send(`{"id":"1","type":"complete"}`)
		}
		c.start("1", "subscription { ponged { workerId } }")
		c.settled()
		require.NoError(t, jobs.Service().Ping(t.Context()))
		require.NoError(t, jobs.Service().Pong(t.Context(), nil))
		c.want(`{"id":"1","type":"next","payload":{"data":{"ponged":[]}}}`)
		c.send(`{"id":"1","type":"complete"}`)
		c.settled()
		require.NoError(t, jobs.Service().Pong(t.Context(), nil))
		c.settled()
	})
}

// The end of an operation must not take the connection along, also not
// while something of it is being sent.
func TestSocket_staysWhenASubscriberLeavesWhileItIsTold(t *testing.T) {
	t.Parallel()
	eachSocket(t, gnj.Options{}, func(t *testing.T, jobs *gnj.Handler, endpoint string) {
		c := greet(t, endpoint)
		for i := range 50 {
			id := fmt.Sprint(i)
			c.start(id, "subscription { pinged { success } }")
			c.settled()
			done := make(chan struct{})
			go func() {
				defer close(done)
				for range 50 {
					_ = jobs.Service().Ping(t.Context())
				}
			}()
			require.Contains(t, c.next(), `"`+id+`"`)
			c.send(`{"id":"` + id + `","type":"complete"}`)
			c.send(`{"type":"ping"}`)
			for !strings.Contains(c.next(), "pong") {
				continue // what was on its way
			}
			c.settled() // and nothing of it any more
			<-done
		}
	})
}
