package gnj_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/service"
)

// Jobs that ended long ago are removed in the background; a dry run says how
// many that would be now.
func ExampleRetention() {
	options := gnj.Options{
		Database:  ":memory:",
		Retention: gnj.Retention{Successful: 30 * 24 * time.Hour, Failed: 90 * 24 * time.Hour, Cancelled: 30 * 24 * time.Hour},
	}
	jobs, err := gnj.New(options)
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()

	pruned, err := jobs.Service().Prune(context.Background(), service.Prune{Keep: options.Retention, DryRun: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pruned.Jobs, "jobs would go")
	// Output: 0 jobs would go
}
