package store

import (
	"fmt"
	"strings"

	"github.com/teamstarter/gnj/models"
)

// InsertWorkers inserts what workers said of themselves, in order.
func (tx *Tx) InsertWorkers(list []models.Worker) error {
	now := tx.now()
	for part := range powers(list, insertRows) {
		args := make([]any, 0, 5*len(part))
		for _, w := range part {
			args = append(args, w.WorkerID, w.Type, w.Status, now, now)
		}
		_, err := tx.exec(`INSERT INTO {workerMonitoring} ("workerId", "workerType", "workerStatus", "createdAt", "updatedAt")
			VALUES (?, ?, ?, ?, ?)`+strings.Repeat(", (?, ?, ?, ?, ?)", len(part)-1), args...)
		if err != nil {
			return fmt.Errorf("insert workers: %w", err)
		}
	}
	return nil
}
