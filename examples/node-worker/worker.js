// A worker in Node that does jobs of a GNJ server by the client of
// graphql-node-jobs, unmodified: a worker of that server needs another address
// and nothing else.
//
//   gnj run                                            # in another terminal
//   npm ci && node worker.js http://127.0.0.1:8080/graphql
//
// It creates one job of its type, so that there is something to see. Create
// more from another program by createJob, or by the REST API:
//
//   curl -d '{"type": "greet", "input": {"name": "Ada"}}' http://127.0.0.1:8080/api/v1/jobs
//
// Ctrl-C lets it finish the job it is working on. A worker of this client that
// is killed leaves its job in "processing": start the server with
// gnj run --lease 5m and such a job fails after five minutes without a call of
// updateProcessingInfo.

const gql = require('graphql-tag')
const { CancelRequestedError, checkForJobs, createJob, getNewClient } = require('@teamstarter/graphql-node-jobs')

const address = process.argv[2] || 'http://127.0.0.1:8080/graphql'
const type = process.argv[3] || 'greet'

// The second address is for subscriptions, which come over a WebSocket.
const client = getNewClient(address, address.replace(/^http/, 'ws'))

let stopping = false

/** greet is the work: what it returns becomes the job's output, what it throws fails the job. */
async function greet(job, { updateProcessingInfo }) {
  const name = job.input?.name ?? 'world'
  const steps = { look: { status: 'doing' }, greet: { status: 'planned' } }
  await updateProcessingInfo({ steps })
  if (name === 'nobody') {
    throw new CancelRequestedError('there is nobody to greet') // cancels the job instead of failing it
  }
  steps.look.status = 'done'
  steps.greet.status = 'done'
  await updateProcessingInfo({ steps })
  return { greeting: `Hello, ${name}!` }
}

/** work does one job after the other. With looping: true, the default, checkForJobs does so by itself, and for ever. */
async function work() {
  while (!stopping) {
    const job = await checkForJobs({
      client,
      typeList: [type],
      workerId: `node-${process.pid}`,
      processingFunction: greet,
      isCancelledOnCancelRequest: true, // updateProcessingInfo throws when somebody wants the job cancelled
      looping: false,
    })
    if (!job && !stopping) {
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}

/** watch prints what happens to jobs of this type, whoever does it. */
function watch() {
  const query = gql`subscription { jobUpdated { id type status output } }`
  return client.subscribe({ query }).subscribe({
    next: ({ data: { jobUpdated: job } }) => {
      if (job.type === type) {
        console.log(`job ${job.id} is ${job.status}`, JSON.stringify(job.output) ?? '')
      }
    },
    error: (error) => console.error('the subscription ended:', error.message ?? error),
  })
}

async function main() {
  process.once('SIGINT', () => (stopping = true))
  process.once('SIGTERM', () => (stopping = true))
  watch()
  const job = await createJob(client, { type, input: { name: 'Ada' } })
  console.log(`job ${job.id} of type ${job.type} was created; waiting for more, Ctrl-C ends`)
  await work()
  process.exit(0) // the WebSocket would keep it alive
}

main().catch((error) => {
  console.error('worker:', error.message)
  process.exit(1)
})
