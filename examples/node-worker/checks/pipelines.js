// Checks of pipelines and batches as workers meet them.

const assert = require('assert/strict')
const { until } = require('./server')

const PIPELINE = `query ($id: Int) {
  pipeline(id: $id) { status steps(order: "index") { index status job { status } batch { status jobs(order: "id") { status } } } }
}`

/** state describes a pipeline: its status and those of its steps. */
async function state(server, id) {
  const [pipeline] = await server.query(PIPELINE, { id })
  const steps = pipeline.steps.map((step) => [step.status, ...(step.job ? [step.job] : step.batch.jobs).map((job) => job.status)].join(' '))
  return [pipeline.status, ...steps]
}

module.exports = [
  ['a pipeline is worked on step by step, a batch all at once', async (server) => {
    const { id: pipelineId } = await server.mutate('mutation { pipelineCreate(pipeline: { name: "check" }) { id status } }')
    await server.create('step', { name: 'first', pipelineId })
    const { id: batchId } = await server.mutate('mutation ($batch: batchInput!) { batchCreate(batch: $batch) { id } }', { batch: { pipelineId } })
    await server.create('step', { name: 'second', batchId })
    await server.create('step', { name: 'third', batchId })
    await server.create('step', { name: 'fourth', pipelineId })
    assert.equal(await server.once('step'), null, 'nothing is dispatched before the start')
    assert.deepEqual(await state(server, pipelineId), ['planned', 'planned planned', 'planned planned planned', 'planned planned'])

    const started = await server.mutate('mutation ($id: Int!) { startPipeline(id: $id) { id status } }', { id: pipelineId })
    assert.equal(started.status, 'processing')
    const order = []
    const work = () => server.once('step', async (job) => order.push(job.name))
    await work()
    assert.deepEqual(await state(server, pipelineId), ['processing', 'done successful', 'planned queued queued', 'planned planned'])
    await work()
    assert.deepEqual(await state(server, pipelineId), ['processing', 'done successful', 'planned successful queued', 'planned planned'])
    await work()
    await until('the batch is done', async () => (await state(server, pipelineId))[2] === 'done successful successful')
    await until('the last step is dispatched', work)
    await until('the pipeline is done', async () => (await state(server, pipelineId))[0] === 'successful')
    assert.deepEqual(await state(server, pipelineId), ['successful', 'done successful', 'done successful successful', 'done successful'])
    assert.deepEqual(order, ['first', 'second', 'third', 'fourth'])
  }],

  ['a pipeline is started once', async (server) => {
    const { id } = await server.mutate('mutation { pipelineCreate(pipeline: {}) { id } }')
    const start = () => server.mutate('mutation ($id: Int!) { startPipeline(id: $id) { id } }', { id })
    await assert.rejects(start(), { message: 'No steps related to this pipeline were found' })
    await server.create('started', { pipelineId: id })
    await start()
    await assert.rejects(start(), { message: 'The pipeline has already been started' })
  }],
]
