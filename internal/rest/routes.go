package rest

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/internal/access"
	"github.com/teamstarter/gnj/models"
)

// Route is an address this door answers, relative to the mount point, such as
// GET /api/v1/jobs/{id}.
type Route struct {
	Method, Path, Name string
	Needs              models.Level // or access.Open
}

// Routes lists every address.
func Routes() []Route {
	var routes []Route
	for _, op := range (*API)(nil).operations() {
		routes = append(routes, Route{op.method, op.path, op.name, op.needs})
	}
	return routes
}

var tags = []*huma.Tag{
	{Name: "Jobs", Description: "A job is one execution of a type of task. Workers get jobs by type: the highest priority first and, within it, first in, first out."},
	{Name: "Work", Description: "What a worker calls: acquire a job, report while it runs, finish it. The attempt a job was acquired with proves that it is still yours."},
	{Name: "Batches", Description: "A batch is a set of jobs that run in parallel. When one fails, the batch has failed."},
	{Name: "Pipelines", Description: "A pipeline is a list of steps, each a job or a batch, executed strictly one after the other once the pipeline was started. When one fails, the steps behind it never run."},
	{Name: "Holds", Description: "While a type is on hold, no job of it is dispatched. The type all holds everything."},
	{Name: "Server", Description: "What waits and runs, and whether the server is well."},
}

// operations is the table of every address: the mux, the OpenAPI document, the
// reference, the mounts and the tests are made from it.
func (a *API) operations() []operation {
	return slices.Concat(
		a.jobOperations(), a.tellOperations(), a.workOperations(), a.workerOperations(), a.batchOperations(), a.pipelineOperations(),
		a.holdOperations(), a.serverOperations(), a.pages(),
	)
}

func (a *API) jobOperations() []operation {
	return []operation{
		{
			name: "createJob", method: "POST", path: "/api/v1/jobs", needs: models.LevelOperate, tag: "Jobs", summary: "Create a job",
			about:   "The job is queued at once, unless it belongs to a pipeline or batch, where it waits as planned until that reaches it. With a jobUniqueId that was used before, the job that is there is answered, changed in nothing.",
			example: `{"type": "resize", "input": {"file": "cat.jpg", "width": 300}}`,
			status:  201, existing: "There was a job with this jobUniqueId; this is it.",
			conflict: "The batch has been successful and takes no more jobs.", add: handle(a.createJob),
		},
		{
			name: "createJobs", method: "POST", path: "/api/v1/jobs/bulk", needs: models.LevelOperate, tag: "Jobs", summary: "Create many jobs",
			about:   "Up to 10,000 jobs in one transaction: all or none. What is wrong with one is told under its index.",
			example: `{"jobs": [{"type": "resize", "input": 1}, {"type": "resize", "input": 2}]}`,
			status:  201, conflict: "A batch has been successful and takes no more jobs.", add: handle(a.createJobs),
		},
		{
			name: "listJobs", method: "GET", path: "/api/v1/jobs", needs: models.LevelRead, tag: "Jobs", summary: "List jobs",
			about: "Values of one parameter are alternatives, parameters are conditions that all hold. Repeat a parameter for several values; statuses and ids may also be separated by commas. Read on with nextCursor: pages neither repeat nor skip jobs that are made meanwhile.",
			add:   handle(a.listJobs),
		},
		{
			name: "readJob", method: "GET", path: "/api/v1/jobs/{id}", needs: models.LevelRead, tag: "Jobs", summary: "Read a job",
			add: handle(a.readJob),
		},
		{
			name: "editJob", method: "PATCH", path: "/api/v1/jobs/{id}", needs: models.LevelOperate, tag: "Jobs", summary: "Change a job that has not started",
			about:   "A field that is left out keeps its value. Null empties name, input and startAfter.",
			example: `{"priorityLevel": 8, "startAfter": null}`, conflict: "The job has started.", add: handle(a.editJob),
		},
		{
			name: "deleteJob", method: "DELETE", path: "/api/v1/jobs/{id}", needs: models.LevelAdmin, tag: "Jobs", summary: "Delete a job",
			about:    "The job is not listed or dispatched any more. A planned step leaves its pipeline.",
			conflict: "A worker holds the job.", add: handle(a.deleteJob),
		},
		{
			name: "cancelJob", method: "POST", path: "/api/v1/jobs/{id}/cancel", needs: models.LevelOperate, tag: "Jobs", summary: "Cancel a job",
			about:    "A job that has not started is cancelled at once. For one that is processing, the worker is asked to stop with the answer to its next report, and finishes the job itself.",
			conflict: "The job has ended.", add: handle(a.cancelJob),
		},
		{
			name: "retryJob", method: "POST", path: "/api/v1/jobs/{id}/retry", needs: models.LevelOperate, tag: "Jobs", summary: "Try a failed or cancelled job again",
			about:  "This makes a new job, with retryOfJobId set. A pipeline that had failed with the old job goes on with the new one in its place.",
			status: 201, existing: "The job had been retried already, and this retry has not ended.",
			conflict: "The job is neither failed nor cancelled, or its retry has ended: retry that one.", add: handle(a.retryJob),
		},
		{
			name: "recoverJob", method: "POST", path: "/api/v1/jobs/{id}/recover", needs: models.LevelOperate, tag: "Jobs", summary: "Put a failed job back",
			about:    "The same job is queued again with its progress kept, so that the worker can go on from there. Only for jobs created with isRecoverable.",
			conflict: "The job has not failed, is not recoverable or was retried.", add: handle(a.recoverJob),
		},
	}
}

// tellOperations are what there is to know of a job besides itself.
func (a *API) tellOperations() []operation {
	return []operation{
		{
			name: "readHistory", method: "GET", path: "/api/v1/jobs/{id}/history", needs: models.LevelRead, tag: "Jobs", summary: "Read what became of a job",
			about: "Each change of its status, as it was committed with it. What happened while history was not kept is not in it.",
			add:   handle(a.readHistory),
		},
		{
			name: "explainJob", method: "GET", path: "/api/v1/jobs/{id}/explain", needs: models.LevelRead, tag: "Jobs", summary: "Tell why a job is not running",
			about: "By the conditions of the dispatch itself: a hold, its time, the pipeline or batch it waits for, who has it, whether anybody asks for its type, and how many go first.",
			add:   handle(a.explainJob),
		},
	}
}

func (a *API) workOperations() []operation {
	return []operation{
		{
			name: "acquireJobs", method: "POST", path: "/api/v1/jobs/acquire", needs: models.LevelWork, tag: "Work", summary: "Get jobs to work on",
			about:   "Nobody else gets the same job. With waitSeconds the request is held until a job can be had; when you go away meanwhile, no job is lost. With leaseSeconds the attempt counts as failed unless you report or finish in time.",
			example: `{"types": ["resize"], "workerId": "worker-1", "leaseSeconds": 60, "waitSeconds": 20}`, add: handle(a.acquireJobs),
		},
		{
			name: "reportJob", method: "POST", path: "/api/v1/jobs/{id}/report", needs: models.LevelWork, tag: "Work", summary: "Report progress",
			about:   "A report renews the lease and tells whether to stop: when cancelRequested is true, finish the job as cancelled. After that one more report with processingInfo is accepted; those without always are.",
			example: `{"attempt": 1, "processingInfo": {"percent": 40}}`, conflict: "The attempt is over, or you were told to stop and reported progress twice.", add: handle(a.reportJob),
		},
		{
			name: "finishJob", method: "POST", path: "/api/v1/jobs/{id}/finish", needs: models.LevelWork, tag: "Work", summary: "Finish a job",
			about:   "A failed attempt is tried again while the job has attempts left, unless final is true. Repeating a finish that was accepted is answered as the first time.",
			example: `{"attempt": 1, "status": "successful", "output": {"file": "cat-300.jpg"}}`, conflict: "The attempt is over; the detail says who has the job now.", add: handle(a.finishJob),
		},
		{
			name: "finishJobs", method: "POST", path: "/api/v1/jobs/finish", needs: models.LevelWork, tag: "Work", summary: "Finish many jobs",
			about:   "Up to 1000. Each has its own result: when one is refused, its result has an error and the others stand.",
			example: `{"finishes": [{"id": 1, "attempt": 1, "status": "successful"}, {"id": 2, "attempt": 1, "status": "failed", "output": {"error": "no such file"}}]}`,
			add:     handle(a.finishJobs),
		},
		{
			name: "giveBackJobs", method: "POST", path: "/api/v1/jobs/give-back", needs: models.LevelWork, tag: "Work", summary: "Give jobs back",
			about:   "For a worker that stops, or wants a job later: each waits again where it did, and no attempt is spent. What is no longer yours is left alone, so that giving back twice is harmless.",
			example: `{"jobs": [{"id": 1, "attempt": 1}, {"id": 2, "attempt": 1, "afterSeconds": 3600}]}`,
			add:     handle(a.giveBackJobs),
		},
	}
}

func (a *API) workerOperations() []operation {
	return []operation{
		{
			name: "listWorkers", method: "GET", path: "/api/v1/workers", needs: models.LevelRead, tag: "Work", summary: "List the workers that are there",
			about: "Those that acquired, waited for a job, reported or finished within the last minute, what they said of themselves and what they run. For people: it is seconds late. Workers without a workerId are not listed.",
			add:   handle(a.listWorkers),
		},
	}
}

func (a *API) batchOperations() []operation {
	return []operation{
		{
			name: "createBatch", method: "POST", path: "/api/v1/batches", needs: models.LevelOperate, tag: "Batches", summary: "Create a batch",
			about:   "With its jobs at once, in one transaction, or empty: add jobs to it with their batchId. It waits as planned until its pipeline reaches it or, when it has none, until you start it.",
			example: `{"jobs": [{"type": "resize", "input": 1}, {"type": "resize", "input": 2}]}`,
			status:  201, conflict: "A jobUniqueId belongs to a job that is there.", add: handle(a.createBatch),
		},
		{
			name: "listBatches", method: "GET", path: "/api/v1/batches", needs: models.LevelRead, tag: "Batches", summary: "List batches",
			add: handle(a.listBatches),
		},
		{
			name: "readBatch", method: "GET", path: "/api/v1/batches/{id}", needs: models.LevelRead, tag: "Batches", summary: "Read a batch with its jobs",
			add: handle(a.readBatch),
		},
		{
			name: "startBatch", method: "POST", path: "/api/v1/batches/{id}/start", needs: models.LevelOperate, tag: "Batches", summary: "Start a batch",
			about:    "Queues the jobs of a batch that is no step of a pipeline. The others are started by their pipeline.",
			conflict: "The batch has been started or is a step of a pipeline.", add: handle(a.startBatch),
		},
	}
}

func (a *API) pipelineOperations() []operation {
	return []operation{
		{
			name: "createPipeline", method: "POST", path: "/api/v1/pipelines", needs: models.LevelOperate, tag: "Pipelines", summary: "Create a pipeline",
			about:   "With its steps at once, in one transaction, or empty: add steps later. Nothing of it is dispatched before it is started, so that a person can review it first.",
			example: `{"name": "import", "steps": [{"job": {"type": "download"}}, {"batch": {"jobs": [{"type": "resize", "input": 1}, {"type": "resize", "input": 2}]}}]}`,
			status:  201, conflict: "A jobUniqueId belongs to a job that is there.", add: handle(a.createPipeline),
		},
		{
			name: "listPipelines", method: "GET", path: "/api/v1/pipelines", needs: models.LevelRead, tag: "Pipelines", summary: "List pipelines with their progress",
			add: handle(a.listPipelines),
		},
		{
			name: "readPipeline", method: "GET", path: "/api/v1/pipelines/{id}", needs: models.LevelRead, tag: "Pipelines", summary: "Read a pipeline with its steps",
			add: handle(a.readPipeline),
		},
		{
			name: "readPipelineHistory", method: "GET", path: "/api/v1/pipelines/{id}/history", needs: models.LevelRead, tag: "Pipelines", summary: "Read what became of a pipeline",
			about: "Each change of its own status; its jobs have a history each.",
			add:   handle(a.readPipelineHistory),
		},
		{
			name: "startPipeline", method: "POST", path: "/api/v1/pipelines/{id}/start", needs: models.LevelOperate, tag: "Pipelines", summary: "Start a pipeline",
			about:    "Queues the first step. " + lean,
			conflict: "The pipeline has been started or has no steps.", add: handle(a.startPipeline),
		},
		{
			name: "cancelPipeline", method: "POST", path: "/api/v1/pipelines/{id}/cancel", needs: models.LevelOperate, tag: "Pipelines", summary: "Cancel a pipeline",
			about:    "Its planned and queued jobs are cancelled, those that are processing are asked to stop. The pipeline has failed when they have ended. " + lean,
			conflict: "The pipeline has ended.", add: handle(a.cancelPipeline),
		},
		{
			name: "resumePipeline", method: "POST", path: "/api/v1/pipelines/{id}/resume", needs: models.LevelOperate, tag: "Pipelines", summary: "Go on from where a pipeline failed",
			about:    "Each failed or cancelled job of the steps that are not done is retried, all or nothing. " + lean,
			conflict: "The pipeline has not failed, or more than 2000 of its jobs have.", add: handle(a.resumePipeline),
		},
		{
			name: "addStep", method: "POST", path: "/api/v1/pipelines/{id}/steps", needs: models.LevelOperate, tag: "Pipelines", summary: "Add a step at the end",
			about:   "A step is a job or a batch, never both.",
			example: `{"job": {"type": "publish"}}`,
			status:  201, conflict: "The pipeline has ended, or a jobUniqueId belongs to a job that is there.", add: handle(a.addStep),
		},
		{
			name: "orderSteps", method: "PUT", path: "/api/v1/pipelines/{id}/steps/order", needs: models.LevelOperate, tag: "Pipelines", summary: "Put the planned steps in another order",
			about:    "All of them, each once. " + lean,
			example:  `{"stepIds": [3, 2]}`,
			conflict: "The pipeline has ended.", add: handle(a.orderSteps),
		},
		{
			name: "removeStep", method: "DELETE", path: "/api/v1/pipelines/{id}/steps/{stepId}", needs: models.LevelOperate, tag: "Pipelines", summary: "Take out a step that nobody has begun",
			about:    "Its job, or its batch with its jobs, is deleted. The pipeline goes on with what stays. " + lean,
			conflict: "The step has begun, or the pipeline has ended.", add: handle(a.removeStep),
		},
	}
}

func (a *API) holdOperations() []operation {
	return []operation{
		{
			name: "listHolds", method: "GET", path: "/api/v1/holds", needs: models.LevelRead, tag: "Holds", summary: "List the held types",
			add: handle(a.listHolds),
		},
		{
			name: "holdType", method: "PUT", path: "/api/v1/holds/{type}", needs: models.LevelOperate, tag: "Holds", summary: "Hold a type",
			about: "Jobs that are processing go on. Holding what is held changes nothing.", add: handle(a.holdType),
		},
		{
			name: "releaseType", method: "DELETE", path: "/api/v1/holds/{type}", needs: models.LevelOperate, tag: "Holds", summary: "Release a type",
			about: "Releasing what is not held changes nothing.", add: handle(a.releaseType),
		},
	}
}

func (a *API) serverOperations() []operation {
	return []operation{
		{
			name: "readStats", method: "GET", path: "/api/v1/stats", needs: models.LevelRead, tag: "Server", summary: "Count jobs by type and status",
			add: handle(a.readStats),
		},
		{
			name: "readMetrics", method: "GET", path: "/api/v1/metrics", needs: models.LevelRead, tag: "Server", summary: "Read what ended over time",
			about: "How many jobs ended, how long they waited and ran: for each of 60 minutes, 96 quarters of an hour or 120 quarters of a day, and of all of them. Times are exact to a tenth. What another node ended is seen up to ten seconds late; a node that crashes loses as much.",
			add:   handle(a.readMetrics),
		},
		{
			name: "streamEvents", method: "GET", path: "/api/v1/events", needs: models.LevelRead, tag: "Server", summary: "Listen to what changes",
			about: "Server-Sent Events, after the commit, by whichever door or node: job with the job, and jobDeleted, pipeline and batch with an id, holds, workers. The parameters say which jobs, as for the list; with any, only jobs are told, those that match by then: not that one matches no longer. On SQLite, what another process does is not told. An event's id, sent back as Last-Event-ID, goes on from there; the event gap says that some cannot be told: read anew what you show.",
			add:   handle(a.streamEvents),
		},
		{
			name: "readFailures", method: "GET", path: "/api/v1/failures", needs: models.LevelRead, tag: "Server", summary: "Group what failed by type and error",
			about: "Errors that differ in numbers, ids and quoted parts only are alike. It looks at the newest 5000 failed jobs of the window.",
			add:   handle(a.readFailures),
		},
		{
			name: "readHealth", method: "GET", path: "/api/v1/healthz", needs: access.Open, tag: "Server", summary: "Tell whether the server is well",
			about: "For probes: 200 when the database is reachable and migrated and the background work is alive, 503 otherwise.", add: handle(a.readHealth),
		},
	}
}

func (a *API) pages() []operation {
	return []operation{
		{name: "openapi", method: "GET", path: "/openapi.json", needs: models.LevelRead, add: page((*API).openAPIPage)},
		{name: "docs", method: "GET", path: "/docs", needs: models.LevelRead, add: page((*API).docsPage)},
		{name: "docsStyle", method: "GET", path: "/docs/style.css", needs: models.LevelRead, add: page((*API).docsStyle)},
	}
}

// lean says what changes of a pipeline answer.
const lean = "The jobs of the answer have no fields input, output and processingInfo, which may be long; reading the pipeline has them."
