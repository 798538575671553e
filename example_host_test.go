//go:build cgo

package gnj_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/service"
)

type order struct {
	ID      int64
	Product string
}

// In a transaction of the application's own, a job exists if and only if the
// application commits. (This example is for builds with cgo, which the
// application's own SQLite driver needs here.)
func ExampleHandler_Service() {
	dir, err := os.MkdirTemp("", "shop")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := gorm.Open(sqlite.Open(filepath.Join(dir, "shop.db")), &gorm.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.AutoMigrate(&order{}); err != nil {
		log.Fatal(err)
	}
	jobs, err := gnj.New(gnj.Options{DB: db})
	if err != nil {
		log.Fatal(err)
	}
	defer jobs.Close()
	ctx := context.Background()

	buy := func(product string) error {
		return db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&order{Product: product}).Error; err != nil {
				return err
			}
			_, err := jobs.Service().In(tx).CreateJob(ctx, service.NewJob{Type: "invoice", Name: &product})
			return err // an error rolls back both
		})
	}
	fmt.Println("a lamp:", buy("lamp"))
	fmt.Println("a long story:", buy(strings.Repeat("and then ", 100)))

	var orders []order
	if err := db.Find(&orders).Error; err != nil {
		log.Fatal(err)
	}
	list, err := jobs.Service().Jobs(ctx, service.JobFilter{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(orders), "order,", len(list.Items), "job for the", *list.Items[0].Name)
	// Output:
	// a lamp: <nil>
	// a long story: name is longer than 255 characters
	// 1 order, 1 job for the lamp
}
