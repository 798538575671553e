// Checks of how a job is cancelled while a worker is at it.

const assert = require('assert/strict')
const { CancelRequestedError } = require('@teamstarter/graphql-node-jobs')

const REFUSED = 'The job was requested to be cancelled at the previous call. ' +
  'Please check for the status "cancel-requested" after calling updateProcessingInfo in your worker and throw a CancelRequestedError'

/** cancelled checks what is left of a job that was cancelled. */
async function cancelled(server, job, output) {
  assert.equal(job.status, 'cancelled')
  assert.deepEqual(job.output, output)
  const now = await server.job(job.id)
  assert.ok(now.cancelledAt)
  assert.ok(now.endedAt)
}

module.exports = [
  ['a queued job is cancelled at once', async (server) => {
    const { id } = await server.create('waiting')
    assert.equal((await server.set({ id, status: 'cancel-requested' })).status, 'cancelled')
    assert.equal(await server.once('waiting'), null)
  }],

  ['CancelRequestedError cancels the job', async (server) => {
    await server.create('by itself')
    const job = await server.once('by itself', async () => {
      throw new CancelRequestedError('nothing to do')
    })
    await cancelled(server, job, { cancelMessage: 'nothing to do' })
  }],

  ['isCancelledOnCancelRequest ends the work at the next updateProcessingInfo', async (server) => {
    await server.create('asked')
    let reached = 0
    const job = await server.once('asked', async (job, { updateProcessingInfo }) => {
      await updateProcessingInfo({ percent: 1 })
      const asked = await server.set({ id: job.id, status: 'cancel-requested' })
      assert.equal(asked.status, 'cancel-requested')
      reached = 1
      await updateProcessingInfo({ percent: 2 })
      reached = 2
    }, { isCancelledOnCancelRequest: true })
    assert.equal(reached, 1)
    await cancelled(server, job, { cancelMessage: 'A job cancelation was requested !' })
  }],

  ['without it one update is accepted and the next is refused, which fails the job', async (server) => {
    await server.create('warned')
    let reached = 0
    const job = await server.once('warned', async (job, { updateProcessingInfo }) => {
      await server.set({ id: job.id, status: 'cancel-requested' })
      await updateProcessingInfo({ percent: 1 })
      reached = 1
      await updateProcessingInfo({ percent: 2 })
      reached = 2
    })
    assert.equal(reached, 1)
    assert.equal(job.status, 'failed')
    assert.ok(job.output.error.includes(REFUSED), job.output.error)
    assert.deepEqual(job.processingInfo, { percent: 1 })
  }],

  ['a worker that goes on may still be successful', async (server) => {
    const { id } = await server.create('went on')
    const job = await server.once('went on', async () => {
      await server.set({ id, status: 'cancel-requested' })
      return { inTime: true }
    })
    assert.deepEqual([job.status, job.output], ['successful', { inTime: true }])
  }],
]
