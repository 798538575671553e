// What the checks have in common: the server they ask, with short words.

const { randomUUID } = require('crypto')
const gql = require('graphql-tag')
const { checkForJobs, createJob } = require('@teamstarter/graphql-node-jobs')

const FIELDS = 'id type name status input output processingInfo workerId startedAt endedAt cancelledAt retryOfJobId batchId pipelineId'

/** Server is the server under check as one check sees it: its types of jobs are nobody else's. */
class Server {
  constructor(address, client) {
    this.address = address
    this.client = client
    this.unique = randomUUID()
  }

  /** type makes a name into a type of job, or another name, that only this check uses. */
  type(name) {
    return `${name}-${this.unique}`
  }

  /** create creates a job by the package. */
  create(name, job = {}) {
    return createJob(this.client, { type: this.type(name), ...job })
  }

  /** mutate answers the one field of a mutation. */
  async mutate(text, variables) {
    const { data } = await this.client.mutate({ mutation: gql(text), variables })
    return Object.values(data)[0]
  }

  /** query answers the one field of a query. */
  async query(text, variables) {
    const { data } = await this.client.query({ query: gql(text), variables })
    return Object.values(data)[0]
  }

  /** job reads one job. */
  async job(id) {
    const [job] = await this.query(`query ($id: Int) { job(id: $id) { ${FIELDS} } }`, { id })
    return job
  }

  /** set updates a job by hand. */
  set(job) {
    return this.mutate(`mutation ($job: jobInput!) { jobUpdate(job: $job) { ${FIELDS} } }`, { job })
  }

  /** once lets a worker take one job of a type, or none, and waits for what becomes of it. */
  once(name, processingFunction = async () => ({}), options = {}) {
    return checkForJobs({
      client: this.client,
      typeList: [this.type(name)],
      processingFunction,
      looping: false,
      ...options,
    })
  }
}

/** until waits for a condition that nobody tells of, and answers what it answered. */
async function until(what, condition) {
  for (const end = Date.now() + 20000; Date.now() < end; ) {
    const found = await condition()
    if (found) {
      return found
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`waited 20 seconds in vain: ${what}`)
}

/** signal is a promise and the function that keeps it. */
function signal() {
  let give
  const given = new Promise((resolve) => (give = resolve))
  return { given, give }
}

module.exports = { Server, until, signal }
