package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func TestWorkers_signalsAreTold(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		w := watched(t, f.Service, nil)
		workers := []service.WorkerInfo{{ptr("1"), ptr("type"), ptr("AVAILABLE")}, {nil, ptr("type"), ptr("FAILED")}}
		require.NoError(t, f.Ping(t.Context()))
		require.Equal(t, service.Event{Kind: service.Pinged}, w.next())
		require.NoError(t, f.Pong(t.Context(), workers))
		require.Equal(t, service.Event{Kind: service.Ponged, Workers: workers}, w.next())
		require.NoError(t, f.MonitorWorkers(t.Context(), workers))
		require.Equal(t, service.Event{Kind: service.WorkersMonitored, Workers: workers}, w.next())
		require.NoError(t, f.MonitorWorkers(t.Context(), nil))
		require.Equal(t, service.Event{Kind: service.WorkersMonitored}, w.next())
		require.Equal(t, []string{"1 type AVAILABLE", " type FAILED"}, f.monitored())
	})
}

// monitored are the stored rows.
func (f fixture) monitored() []string {
	f.t.Helper()
	rows, err := service.Select[models.Worker](f.t.Context(), f.Service, service.Selection{})
	require.NoError(f.t, err)
	list := make([]string, len(rows))
	for i, w := range rows {
		id := ""
		if w.WorkerID != nil {
			id = *w.WorkerID
		}
		require.False(f.t, w.CreatedAt.IsZero())
		list[i] = strings.Join([]string{id, w.Type, w.Status}, " ")
	}
	return list
}

func TestWorkers_areStoredAllOrNone(t *testing.T) {
	each(t, func(t *testing.T, f fixture) {
		many := make([]service.WorkerInfo, service.MaxWorkers)
		for i := range many {
			many[i] = service.WorkerInfo{WorkerType: ptr("type"), WorkerStatus: ptr("AVAILABLE")}
		}
		require.NoError(t, f.MonitorWorkers(t.Context(), many))
		require.Len(t, f.monitored(), len(many))
		bad := []service.WorkerInfo{many[0], {WorkerID: ptr(strings.Repeat("x", 256)), WorkerType: ptr("")}}
		err := f.MonitorWorkers(t.Context(), bad)
		require.Equal(t, models.CodeInvalid, code(err))
		require.Equal(t, []string{"workers[1].workerId", "workers[1].workerType", "workers[1].workerStatus"}, fields(t, err))
		require.Equal(t, []string{"workers"}, fields(t, f.MonitorWorkers(t.Context(), append(many, many[0]))))
		require.Len(t, f.monitored(), len(many))

		require.NoError(t, f.Pong(t.Context(), []service.WorkerInfo{{}}), "what is not stored need not be complete")
		require.Equal(t, []string{"workers[0].workerStatus"}, fields(t, f.Pong(t.Context(), []service.WorkerInfo{{WorkerStatus: ptr("\x00")}})))
	})
}
