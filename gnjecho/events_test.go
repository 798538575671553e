package gnjecho_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/service"
)

// Events come at once wherever GNJ is mounted, also when the host's server
// bounds how long an answer may take.
func TestMounts_streamEvents(t *testing.T) {
	t.Parallel()
	const bound = 200 * time.Millisecond
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHandler(t)
			server := httptest.NewUnstartedServer(m.mount(h))
			server.Config.WriteTimeout, server.Config.ReadTimeout = bound, bound
			server.Start()
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+m.point+"/api/v1/events?every=100", nil)
			require.NoError(t, err)
			answer, err := server.Client().Do(r)
			require.NoError(t, err)
			defer func() { _ = answer.Body.Close() }()
			require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
			lines := bufio.NewScanner(answer.Body)
			for begun := time.Now(); time.Since(begun) < 3*bound; {
				_, err := h.Service().CreateJob(t.Context(), service.NewJob{Type: "a"})
				require.NoError(t, err)
				for told := false; !told; told = strings.HasPrefix(lines.Text(), "data: ") {
					require.True(t, lines.Scan(), "the stream ended: %v", lines.Err())
				}
			}
		})
	}
}
