// Checks of checkForJobs in each of its modes.

const assert = require('assert/strict')
const { checkForJobs } = require('@teamstarter/graphql-node-jobs')
const { signal, until } = require('./server')

/** loop starts a looping worker, which nothing ends but the end of the process. */
function loop(server, name, processingFunction, options) {
  return server.once(name, processingFunction, { looping: true, loopTime: 50, ...options })
}

module.exports = [
  ['checkForJobs wants a type', async (server) => {
    await assert.rejects(checkForJobs({ client: server.client, typeList: [], processingFunction: async () => 1 }), /typeList/)
  }],

  ['not looping, it does one job or none', async (server) => {
    assert.equal(await server.once('single'), null)
    const { id } = await server.create('single', { name: 'a name', input: { n: [1] } })
    await server.create('single')
    let seen
    const done = await server.once('single', async (job) => {
      seen = { ...job, now: await server.job(job.id) }
      return { answer: 42 }
    }, { workerId: 'worker 7' })
    const type = server.type('single')
    const { now, ...job } = seen
    assert.deepEqual(job, { __typename: 'job', id, type, name: 'a name', input: { n: [1] }, output: null, status: 'processing' })
    assert.equal(now.workerId, 'worker 7')
    assert.ok(now.startedAt)
    assert.equal(now.endedAt, null)
    assert.deepEqual({ ...done }, {
      __typename: 'job', id, type, name: 'a name', input: { n: [1] }, output: { answer: 42 }, status: 'successful', processingInfo: null,
    })
    assert.ok((await server.job(id)).endedAt >= now.startedAt)
    assert.equal(await server.query('query ($where: SequelizeJSON) { jobCount(where: $where) }', { where: { type, status: 'queued' } }), 1)
  }],

  // A string is left out: graphql-node-jobs itself takes it for JSON text.
  ['every output comes back as it was', async (server) => {
    for (const output of [{ a: [1, { b: null }] }, [], 0, 1.5, false, null, undefined]) {
      await server.create('outputs')
      const done = await server.once('outputs', async () => output)
      assert.equal(done.status, 'successful')
      assert.deepEqual(done.output, output ?? null)
    }
  }],

  ['what the work throws fails the job, with the reason in its output', async (server) => {
    await server.create('broken')
    const failed = await server.once('broken', async () => {
      throw new Error('no paper left')
    })
    assert.equal(failed.status, 'failed')
    assert.match(failed.output.error, /^\[Error: no paper left\] Stack: Error: no paper left\n/)
    assert.ok((await server.job(failed.id)).endedAt)
  }],

  ['looping, it does all there is and all that comes', async (server) => {
    const order = []
    for (const name of ['one', 'two']) {
      await server.create('loop', { name })
    }
    void loop(server, 'loop', async (job) => {
      order.push(job.name)
      if (job.name === 'two') {
        throw new Error('a failure does not end the worker')
      }
    })
    await until('both jobs are done', () => order.length === 2)
    const { id } = await server.create('loop', { name: 'three' })
    const last = await until('a job that came later is done', async () => {
      const job = await server.job(id)
      return job.status === 'successful' && job
    })
    assert.equal(last.name, 'three')
    assert.deepEqual(order, ['one', 'two', 'three'])
  }],

  ['nonBlocking and looping, it does several jobs at a time', async (server) => {
    const ids = []
    for (let i = 0; i < 3; i++) {
      ids.push((await server.create('many')).id)
    }
    const all = signal()
    let working = 0
    void loop(server, 'many', async (job) => {
      if (++working === ids.length) {
        all.give()
      }
      await all.given // none ends before all have begun
      return job.id
    }, { nonBlocking: true })
    for (const id of ids) {
      const job = await until(`job ${id} is done`, async () => {
        const found = await server.job(id)
        return found.status === 'successful' && found
      })
      assert.equal(job.output, id)
    }
  }],

  ['nonBlocking and not looping, it answers while the work goes on', async (server) => {
    const { id } = await server.create('behind')
    const go = signal()
    const job = await server.once('behind', async () => {
      await go.given
      return { later: true }
    }, { nonBlocking: true })
    assert.deepEqual([job.id, job.status], [id, 'processing'])
    assert.equal((await server.job(id)).status, 'processing')
    go.give()
    await until('the job is done', async () => (await server.job(id)).output?.later)
  }],

  ['updateProcessingInfo is seen by others, and times the steps that are done', async (server) => {
    const { id } = await server.create('steps')
    let between
    await server.once('steps', async (job, { updateProcessingInfo }) => {
      await updateProcessingInfo({ percent: 10, steps: { load: { status: 'done', rows: 3 }, store: { status: 'planned' } } })
      between = (await server.job(id)).processingInfo
      await updateProcessingInfo({ percent: 90, steps: { load: { status: 'done' }, store: { status: 'done' } } })
    })
    assert.equal(between.percent, 10)
    assert.equal(between.steps.load.rows, 3)
    assert.ok(between.steps.load.elapsedTime >= 0)
    assert.ok(Date.parse(between.steps.load.doneAt) > 0)
    assert.deepEqual(between.steps.store, { status: 'planned' })
    const { percent, steps } = (await server.job(id)).processingInfo
    assert.equal(percent, 90)
    assert.deepEqual(steps.load, between.steps.load, 'the server keeps what it knows of a step')
    assert.ok(steps.store.doneAt >= steps.load.doneAt)
  }],
]
