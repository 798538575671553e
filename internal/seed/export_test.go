package seed

import (
	"encoding/json"
	"time"

	"github.com/teamstarter/gnj/internal/store"
)

// Plan is what would be laid, as text.
func Plan(c Config, now time.Time) []string {
	var list []string
	newWorld(c, now, true).make(func(rows store.Rows) bool {
		for _, job := range rows.Jobs {
			text, _ := json.Marshal(job)
			list = append(list, string(text))
		}
		for _, change := range rows.History {
			text, _ := json.Marshal(change)
			list = append(list, string(text))
		}
		return true
	})
	return list
}
