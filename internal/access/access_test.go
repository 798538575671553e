package access_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func request() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

func TestLet_everybodyWithoutAdmit(t *testing.T) {
	t.Parallel()
	r, err := access.Admit(nil).Let(request(), models.LevelAdmin)
	require.NoError(t, err)
	require.Equal(t, models.LevelAdmin, access.Level(r.Context()))
	require.Empty(t, service.Who(r.Context()))
}

func TestLet_whoMay(t *testing.T) {
	t.Parallel()
	admit := access.Admit(func(*http.Request) (models.Access, error) {
		return models.Access{Level: models.LevelWork, As: "anna"}, nil
	})
	r, err := admit.Let(request(), models.LevelWork)
	require.NoError(t, err)
	require.Equal(t, "anna", service.Who(r.Context()))
	require.NoError(t, access.Check(r.Context(), models.LevelRead))
	require.NoError(t, access.Check(r.Context(), models.LevelOperate, models.LevelWork))
	require.ErrorIs(t, access.Check(r.Context()), models.ErrForbidden)

	_, err = admit.Let(request(), models.LevelOperate)
	require.ErrorIs(t, err, models.ErrForbidden)
	require.EqualError(t, err, `this needs the access "operate", and yours is "work"`)
	_, err = admit.Let(request(), 0)
	require.ErrorIs(t, err, models.ErrForbidden, "what was forgotten in a table is for nobody")
}

func TestLet_nobodyIsAskedWhereItIsOpen(t *testing.T) {
	t.Parallel()
	why := errors.New("no")
	admit := access.Admit(func(*http.Request) (models.Access, error) { return models.Access{}, why })
	_, err := admit.Let(request(), access.Open)
	require.NoError(t, err)
	_, err = admit.Let(request(), models.LevelRead)
	require.ErrorIs(t, err, why)
	require.Zero(t, access.Level(t.Context()))
}
