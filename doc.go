// Package gnj is a job scheduler, a runner and an interface to manage jobs, in
// one library that plugs into the web application you already have.
//
// # Mount
//
//	jobs, err := gnj.New(gnj.Options{DB: db}) // your own *gorm.DB
//	defer jobs.Close()
//	mux.Handle("/gnj/", http.StripPrefix("/gnj", jobs))
//
// [New] takes your *gorm.DB, or the name of a SQLite file or the URL of a
// PostgreSQL database; without any it opens the file gnj.db. The tables are made
// and kept up to date; those of graphql-node-jobs are adopted with their rows.
// The [Handler] works at any mount point, which it reads off each request. For Echo,
// package gnjecho gives every address a route of its own.
//
// # Create
//
// Jobs are made over HTTP, by POST to /gnj/api/v1/jobs, or in process by
// [Handler.Service]. In a transaction of yours a job exists if and only if you commit:
//
//	err := db.Transaction(func(tx *gorm.DB) error {
//		if err := tx.Create(&order).Error; err != nil {
//			return err
//		}
//		_, err := jobs.Service().In(tx).CreateJob(ctx, service.NewJob{Type: "invoice"})
//		return err
//	})
//
// # Work
//
// Workers in any language ask for jobs by type at /gnj/api/v1/jobs/acquire,
// report their progress, and finish them. They hold a job by a lease, which they renew by
// reporting; the job of a worker that died comes back by itself.
//
// # Words
//
// A job is one execution of a type of task. A pipeline is an ordered list of
// steps, executed one after the other; a step is a job or a batch, a set of jobs that run in
// parallel. A hold keeps a type from being dispatched. Each acquire is an
// attempt. The rules are numbered in the documentation of package service.
package gnj
