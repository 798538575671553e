//go:build cgo

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOrder_comesWithItsJob(t *testing.T) {
	t.Parallel()
	shop := start(t)

	status, body := request(t, http.MethodPost, shop+"/orders", `{"product": "a red lamp"}`)
	require.Equal(t, http.StatusCreated, status, body)
	require.JSONEq(t, `{"id": 1, "product": "a red lamp", "jobId": 1}`, body)

	_, body = request(t, http.MethodGet, shop+"/gnj/api/v1/jobs?type=invoice", "")
	var list struct {
		Jobs []struct {
			ID     int64
			Name   string
			Input  struct{ Order int64 }
			Status string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &list), body)
	require.Len(t, list.Jobs, 1)
	require.Equal(t, "a red lamp", list.Jobs[0].Name)
	require.EqualValues(t, 1, list.Jobs[0].Input.Order)
	require.Equal(t, "queued", list.Jobs[0].Status)
}

func TestOrder_isNotThereWithoutItsJob(t *testing.T) {
	t.Parallel()
	shop := start(t)

	tooLong := strings.Repeat("a", 256) // for the job's name, which is set after the order was stored
	status, body := request(t, http.MethodPost, shop+"/orders", `{"product": "`+tooLong+`"}`)
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, "name is longer than 255 characters")

	_, body = request(t, http.MethodGet, shop+"/orders", "")
	require.JSONEq(t, `[]`, body)
	_, body = request(t, http.MethodGet, shop+"/gnj/api/v1/jobs", "")
	require.JSONEq(t, `{"jobs": [], "nextCursor": null}`, body)
}

func TestShop_hasGNJUnderItsMountPoint(t *testing.T) {
	t.Parallel()
	shop := start(t)

	status, body := request(t, http.MethodGet, shop+"/gnj/api/v1/healthz", "")
	require.Equal(t, http.StatusOK, status, body)

	status, body = request(t, http.MethodGet, shop+"/gnj/docs", "")
	require.Equal(t, http.StatusOK, status, body)

	_, body = request(t, http.MethodGet, shop+"/gnj/openapi.json", "")
	require.Contains(t, body, `"url":"/gnj"`)
}

func TestShop_saysWhatIsWrongWithItsFlags(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run(t.Context(), []string{"-database", filepath.Join(t.TempDir(), "no", "shop.db")}, io.Discard), "unable to open database file")
	require.ErrorContains(t, run(t.Context(), []string{"-database", filepath.Join(t.TempDir(), "shop.db"), "-listen", "nowhere"}, io.Discard), "missing port")
}

// start runs the shop until the test ends, and returns its address.
func start(t *testing.T) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	database := filepath.Join(t.TempDir(), "shop.db")
	out, stdout := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-database", database}, stdout)
		stdout.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, address, found := strings.Cut(strings.TrimSpace(line), "the shop is at ")
	require.True(t, found, line)
	return address
}

func request(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(text)
}
