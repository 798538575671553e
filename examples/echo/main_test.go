package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGroup_keepsStrangersOut(t *testing.T) {
	t.Parallel()
	app := start(t)
	for _, path := range []string{"/gnj", "/gnj/docs", "/gnj/openapi.json", "/gnj/api/v1/jobs", "/gnj/nothing/here"} {
		status, _ := get(t, app+path, "")
		require.Equal(t, http.StatusUnauthorized, status, path)
		status, _ = get(t, app+path, "guessed")
		require.Equal(t, http.StatusUnauthorized, status, path)
	}
}

func TestGroup_letsTokensIn(t *testing.T) {
	t.Parallel()
	app := start(t)
	status, body := get(t, app+"/gnj/api/v1/stats", "s3cret")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"types": []}`, body)

	_, body = get(t, app+"/gnj/openapi.json", "s3cret")
	require.Contains(t, body, `"url":"/gnj"`)

	status, body = get(t, app+"/gnj/nothing/here", "s3cret")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, body, `"code":"not_found"`)
}

func TestRoutes_areEchosOwn(t *testing.T) {
	t.Parallel()
	status, body := get(t, start(t)+"/routes", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "POST /gnj/api/v1/jobs/acquire (gnj.acquireJobs)")
	require.Contains(t, body, "GET /gnj/api/v1/jobs/:id (gnj.readJob)")
}

// start runs the application until the test ends, and returns its address.
func start(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	database := filepath.Join(t.TempDir(), "jobs.db")
	out, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-database", database, "-token", "s3cret"}, stdout)
		stdout.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, address, found := strings.Cut(strings.TrimSpace(line), "the application is at ")
	require.True(t, found, line)
	return address
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}
