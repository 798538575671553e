// Package client is GNJ over HTTP: the verbs of a *service.Service, with the
// same signatures, answers and errors, for programs on other machines. A worker
// becomes a remote one by changing one word:
//
//	w := worker.New(client.New("https://app.example/gnj"), worker.Options{Concurrency: 10})
//
// # Errors
//
// What GNJ refuses is the *models.Error it would be in process, with its code,
// message and fields: compare with errors.Is(err, models.ErrConflict). Besides:
//
//   - [models.ErrUnavailable]: the server cannot be reached, did not answer in
//     time, or somebody else answered, such as a proxy. The message says who and what.
//   - [models.ErrUnauthorized] and [models.ErrForbidden]: what lets requests in
//     is missing or wrong, or does not allow this. Whoever stands in front of GNJ and
//     refuses with 401 or 403 is models.ErrForbidden.
//   - [models.ErrInvalid]: also what HTTP cannot carry, such as fields that are
//     set by hand, or a body over the server's limit. Its fields are those of
//     the service; its words are those of REST.
//   - the error of the context, when that ended; of an acquire, which may have
//     got jobs by then, in a models.ErrUnavailable.
//
// # What is tried again
//
// A call that changes something is tried again only where doing it twice is
// the same as doing it once. The pauses between tries grow, with jitter; a
// Retry-After of the server is kept. All tries of a call together take no
// longer than [Options].Timeout, plus the wait of an acquire, and end with the context.
//
//	verbs                                             tried again
//	Job, Jobs, Batch, Batches, Pipeline, Pipelines,
//	Holds, Workers, Stats, Metrics, Health            always: they read
//	CreateJob, CreateJobs                             when every job has a JobUniqueID
//	Report, Finish, FinishMany, GiveBack              always: they carry the attempt
//	Cancel, Retry, Hold, Release                      always: the second time changes nothing
//	DeleteJob                                         always: what a later try does not find is deleted
//	Acquire, EditJob, Recover, CreateBatch,
//	StartBatch, CreatePipeline, StartPipeline,
//	CancelPipeline, AddStep, OrderSteps               when no connection could be made
//
// After an answer that was lost, a later try answers as the second call of a
// verb does: CreateJob and Retry may say that the job was there.
package client
