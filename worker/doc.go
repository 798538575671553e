// Package worker does jobs of GNJ with handlers in Go, in the web application
// itself:
//
//	w := worker.New(jobs.Service(), worker.Options{Concurrency: 10})
//	worker.Handle(w, "resize", func(ctx context.Context, job *worker.Job[Resize]) (Resized, error) {
//		…
//	})
//	err := w.Run(ctx)
//
// On another machine it is the same worker with a client of package client
// instead of the service, and links no database:
//
//	w := worker.New(client.New("https://app.example/gnj"), worker.Options{Concurrency: 10})
//
// # What a handler answers
//
//   - a result: the job is successful, with it as output.
//   - an error: the attempt has failed, with {"error": …} as output; it is tried
//     again while attempts are left. [Fail] makes it fail for good.
//   - [Cancelled]: the job is cancelled. An error after a cancel request that
//     comes from the context's end is the same.
//   - [Snooze]: the job waits again for so long, and no attempt is spent.
//
// A panic is an error whose output has the stack. An input that does not decode
// into the handler's type fails that job for good.
//
// # When a handler's context ends
//
// [context.Cause] says why: [ErrCancelRequested] when somebody wants the job
// cancelled, [ErrLeaseLost] when the job is no longer this worker's,
// [ErrTimeout] when the handler took longer than it may, [ErrStopping] when the
// worker has stopped and its grace period is over.
//
// # What holds a job
//
// A job is acquired with a lease, which is renewed while its handler runs and
// until the server is known to have its result. A finish whose answer is lost
// is sent again until it is known; the attempt it carries keeps it from being
// counted twice. When a worker dies its leases run out, and its jobs are tried
// again as their attempts allow.
package worker
