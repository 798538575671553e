package service

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

func TestLook_beginsAnewAfterAPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	b := &background{stopping: t.Context()}
	l := &live{background: b, hub: new(hub), log: slog.New(slog.NewTextHandler(&log, nil))} // no store: to look panics
	for n := range 3 {
		require.Equal(t, n, strings.Count(log.String(), "panic="))
		l.await([]store.Change{{Kind: store.Created, ID: 1, Job: new(models.Job)}})
		b.done.Wait()
	}
	require.Len(t, l.unseen, 3, "nothing is forgotten")
}
