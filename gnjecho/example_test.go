package gnjecho_test

import (
	"crypto/subtle"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/gnjecho"
)

// GNJ in a group of an Echo application, behind the group's middleware.
func ExampleMount() {
	jobs, err := gnj.New(gnj.Options{Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()

	e := echo.New()
	auth := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			given := c.Request().Header.Get(echo.HeaderAuthorization)
			if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer secret")) == 0 {
				return echo.ErrUnauthorized
			}
			return next(c)
		}
	}
	gnjecho.Mount(e.Group("/gnj", auth), jobs)
	e.Server.RegisterOnShutdown(jobs.Drain)

	for _, key := range []string{"guessed", "secret"} {
		request := httptest.NewRequest(http.MethodGet, "/gnj/api/v1/healthz", nil)
		request.Header.Set("Authorization", "Bearer "+key)
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, request)
		fmt.Println(key, http.StatusText(answer.Code))
	}
	fmt.Println(e.Reverse("gnj.readJob", 7))
	// Output:
	// guessed Unauthorized
	// secret OK
	// /gnj/api/v1/jobs/7
}
