package gnj_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
)

// user is somebody of the application.
type user struct {
	Name       string
	MayOperate bool
}

// userOf is whose session a request belongs to, as the application knows it; nil for nobody.
func userOf(r *http.Request) *user {
	switch r.Header.Get("X-Session") {
	case "anna's":
		return &user{Name: "anna", MayOperate: true}
	case "bert's":
		return &user{Name: "bert"}
	}
	return nil
}

// Who may do what, by the application's own users, with values masked that
// nobody has to read.
func ExampleOptions_authorize() {
	jobs, err := gnj.New(gnj.Options{
		Database: ":memory:",
		Authorize: func(r *http.Request) (gnj.Access, error) {
			switch user := userOf(r); {
			case user == nil:
				return gnj.Access{}, models.Unauthorized("sign in first")
			case user.MayOperate:
				return gnj.Access{Level: gnj.LevelOperate, As: user.Name}, nil
			default:
				return gnj.Access{Level: gnj.LevelRead, As: user.Name}, nil
			}
		},
		Redact: func(job models.Job) models.Job {
			if job.Type == "mail" {
				job.Input = models.JSON(`"hidden"`)
			}
			return job
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()

	for _, session := range []string{"anna's", "bert's", "nobody's"} {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			request := httptest.NewRequest(method, "/api/v1/jobs", strings.NewReader(`{"type": "mail", "input": "dear Carl"}`))
			request.Header.Set("X-Session", session)
			answer := httptest.NewRecorder()
			jobs.ServeHTTP(answer, request)
			fmt.Println(session, method, answer.Code, strings.Contains(answer.Body.String(), "Carl"))
		}
	}
	// Output:
	// anna's POST 201 false
	// anna's GET 200 false
	// bert's POST 403 false
	// bert's GET 200 false
	// nobody's POST 401 false
	// nobody's GET 401 false
}
