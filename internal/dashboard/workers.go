package dashboard

import (
	"net/http"

	"github.com/teamstarter/gnj/models"
)

type workersBody struct {
	Workers []models.Presence
}

// workers lists who is there.
func (d *Dashboard) workers(q *request) error {
	there, err := d.svc.Workers(q.r.Context(), models.WorkerFilter{})
	if err != nil {
		return err
	}
	return d.show(q, http.StatusOK, "workers", "Workers", workersBody{there})
}
