// Command stdlib is a shop with GNJ in it: a net/http server with a database
// of its own, where an order and the job that does it are one transaction.
//
//	go run ./examples/stdlib
//	curl -d '{"product": "a red lamp"}' http://127.0.0.1:8080/orders
//	curl 'http://127.0.0.1:8080/gnj/api/v1/jobs?type=invoice'
//
// What its jobs are and how to work on them stands at http://127.0.0.1:8080/gnj/docs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"github.com/teamstarter/gnj"
	"github.com/teamstarter/gnj/models"
	"github.com/teamstarter/gnj/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "stdlib:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("stdlib", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "the `address` to listen on")
	database := flags.String("database", "shop.db", "the SQLite `file` of the shop and its jobs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	db, err := gorm.Open(sqlite.Open(*database), &gorm.Config{})
	if err != nil {
		return err
	}
	defer closeDB(db)
	if err := db.AutoMigrate(&Order{}); err != nil {
		return err
	}
	mux := http.NewServeMux()

	jobs, err := gnj.New(gnj.Options{DB: db})
	if err != nil {
		return err
	}
	defer jobs.Close()
	mux.Handle("/gnj/", http.StripPrefix("/gnj", jobs))

	mux.Handle("POST /orders", createOrder(db, jobs))
	mux.Handle("GET /orders", listOrders(db))
	return serve(ctx, *listen, mux, jobs, stdout)
}

// Order is a row of the shop's own table.
type Order struct {
	ID      int64  `json:"id"`
	Product string `json:"product"`
	JobID   int64  `json:"jobId"` // writes the invoice
}

// createOrder stores an order and the job of its invoice, both or none.
func createOrder(db *gorm.DB, jobs *gnj.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var order Order
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil || order.Product == "" {
			http.Error(w, `send {"product": "…"}`, http.StatusBadRequest)
			return
		}
		ctx := r.Context()
		err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := tx.Create(&order).Error; err != nil {
				return err
			}
			input, _ := json.Marshal(map[string]int64{"order": order.ID})
			job, err := jobs.Service().In(tx).CreateJob(ctx, service.NewJob{
				Type: "invoice", Name: &order.Product, Input: input,
			})
			if err != nil {
				return err // the order is rolled back with it
			}
			return tx.Model(&order).Update("job_id", job.ID).Error
		})
		switch {
		case errors.Is(err, models.ErrInvalid): // the product's name is too long for a job's
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		case err != nil:
			slog.Error("create an order", "error", err)
			http.Error(w, "the order could not be stored", http.StatusInternalServerError)
		default:
			answer(w, http.StatusCreated, order)
		}
	}
}

func listOrders(db *gorm.DB) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		orders := []Order{}
		if err := db.WithContext(r.Context()).Order("id").Find(&orders).Error; err != nil {
			http.Error(w, "the orders could not be read", http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusOK, orders)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may have gone
}

// serve answers requests until ctx ends, and lets those under way end.
func serve(ctx context.Context, address string, handler http.Handler, jobs *gnj.Handler, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	server.RegisterOnShutdown(jobs.Drain) // workers that wait for a job need not be waited for
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(stdout, "the shop is at http://%s\n", listener.Addr())
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}

func closeDB(db *gorm.DB) {
	if pool, err := db.DB(); err == nil {
		pool.Close()
	}
}
