package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
)

// A save that is repeated, because nobody knows whether it was done, is done once;
// and not at all when its batch may be folded by now.
func TestAddBatch_once(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		batches := func() (list []store.MetricRow) {
			require.NoError(t, s.Read(t.Context(), func(tx *store.Tx) (err error) {
				list, err = tx.Batches(-time.Minute, 10)
				return err
			}))
			return list
		}
		var at time.Time
		add := func(name, total string) {
			require.NoError(t, s.WriteOne(t.Context(), func(tx *store.Tx) error {
				return tx.AddBatch(store.MetricRow{From: at, Node: name, Total: total, Types: "{}"}, time.Minute)
			}))
		}
		require.NoError(t, s.Read(t.Context(), func(tx *store.Tx) (err error) {
			at, err = tx.Time()
			return err
		}))
		add("a", "1")
		add("a", "2")
		add("b", "1")
		list := batches()
		require.Len(t, list, 2)
		for _, row := range list {
			require.Equal(t, store.MetricRow{From: at, Node: row.Node, Total: "1", Types: "{}"}, row)
		}
		s.SetClock(2 * time.Minute)
		require.NoError(t, s.Write(t.Context(), func(tx *store.Tx) error {
			taken, err := tx.TakeBatches([]string{"a", "c"})
			require.Equal(t, []string{"a"}, taken)
			return err
		}))
		add("a", "1")
		require.Len(t, batches(), 1, "it is too late")
	})
}
