// Checks of createJob, listJobs, holds, and who gets which job.

const assert = require('assert/strict')
const { createJob, listJobHoldTypes, listJobs, toggleHoldJobType, PRIORITY_HIGH, PRIORITY_LOW } = require('@teamstarter/graphql-node-jobs')

module.exports = [
  ['createJob answers the job it made', async (server) => {
    const input = { text: 'ä "quoted"', list: [1, 2.5, null, { deep: true }], empty: {} }
    const job = await server.create('plain', { name: 'a name', input, startAfter: '2030-05-06T07:08:09.123Z' })
    assert.ok(Number.isInteger(job.id))
    assert.match(job.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual({ ...job, id: 0, createdAt: '' }, {
      __typename: 'job', id: 0, createdAt: '', name: 'a name', type: server.type('plain'), status: 'queued',
      isHighFrequency: false, isUpdateAlreadyCalledWhileCancelRequested: false,
      input, output: null, startAfter: '2030-05-06T07:08:09.123Z', batchId: null,
    })
  }],

  ['createJob refuses a job without a type', async (server) => {
    await assert.rejects(createJob(server.client, { name: 'no type' }), /type/)
  }],

  ['createJob answers the job that has the jobUniqueId', async (server) => {
    const jobUniqueId = server.unique
    const first = await server.create('unique', { jobUniqueId, input: 1 })
    const second = await server.create('unique', { jobUniqueId, input: 2 })
    assert.equal(second.id, first.id)
    assert.equal(second.input, 1)
  }],

  ['listJobs selects, orders and cuts', async (server) => {
    const ids = []
    for (const name of ['one', 'two', 'three']) {
      ids.push((await server.create('list', { name, input: { name } })).id)
    }
    const type = server.type('list')
    const list = async (options) => (await listJobs(server.client, options)).map((job) => job.name)
    assert.deepEqual(await listJobs(server.client, { where: { id: ids[0] } }), [
      { __typename: 'job', id: ids[0], type, name: 'one', input: { name: 'one' }, output: null },
    ])
    assert.deepEqual(await list({ where: { type } }), ['one', 'two', 'three'])
    assert.deepEqual(await list({ where: { type }, order: 'reverse:id', limit: 1, offset: 1 }), ['two'])
    assert.deepEqual(await list({ where: { type, name: { in: ['one', 'three', 'four'] } } }), ['one', 'three'])
    assert.deepEqual(await list({ where: { type, or: [{ id: { gt: ids[1] } }, { name: { like: 'o%' } }] }, order: 'name' }), ['one', 'three'])
    assert.deepEqual(await list({ where: { type, status: 'failed' } }), [])
  }],

  ['listJobs says what is wrong with a condition', async (server) => {
    const list = listJobs(server.client, { where: { noSuchColumn: 1 } })
    await assert.rejects(list, /noSuchColumn/)
  }],

  ['toggleHoldJobType keeps a type from being dispatched until it is toggled again', async (server) => {
    const type = server.type('held')
    const held = async () => (await listJobHoldTypes(server.client, { where: { type } })).map((hold) => hold.type)
    await server.create('held')
    const hold = await toggleHoldJobType(server.client, type)
    assert.equal(hold.type, type)
    assert.deepEqual(await held(), [type])
    assert.equal(await server.once('held'), null)
    assert.equal(await toggleHoldJobType(server.client, type), null)
    assert.deepEqual(await held(), [])
    assert.equal((await server.once('held')).status, 'successful')
  }],

  ['jobs are dispatched by priority, then first in, first out', async (server) => {
    for (const [name, priorityLevel] of [['second'], ['fourth', PRIORITY_LOW], ['first', PRIORITY_HIGH], ['third']]) {
      await server.create('order', { name, priorityLevel })
    }
    const order = []
    while (await server.once('order', async (job) => order.push(job.name)));
    assert.deepEqual(order, ['first', 'second', 'third', 'fourth'])
  }],

  ['a job is not dispatched before its startAfter', async (server) => {
    await server.create('later', { startAfter: new Date(Date.now() + 3600000) })
    assert.equal(await server.once('later'), null)
    const { id } = await server.create('later', { startAfter: new Date(Date.now() - 3600000) })
    assert.equal((await server.once('later')).id, id)
  }],

  ['a hundred concurrent acquireJob calls over 15 jobs hand out each once', async (server) => {
    const created = await Promise.all(Array.from({ length: 15 }, () => server.create('rush')))
    const acquire = `mutation ($types: [String!]!) { acquireJob(typeList: $types) { id } }`
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.mutate(acquire, { types: [server.type('rush')] })))
    const got = answers.filter(Boolean).map((job) => job.id)
    const ids = (list) => [...list].sort((a, b) => a - b)
    assert.deepEqual(ids(got), ids(created.map((job) => job.id)))
  }],

  ['a failed job is retried as a new one, and a recoverable one recovered', async (server) => {
    const { id } = await server.create('again', { input: { n: 1 }, isRecoverable: true })
    const fail = async (job, { updateProcessingInfo }) => {
      await updateProcessingInfo({ reached: 5 })
      throw new Error('it broke')
    }
    assert.equal((await server.once('again', fail)).status, 'failed')
    const recovered = await server.mutate('mutation ($id: Int!) { recover(id: $id) { id status processingInfo } }', { id })
    assert.deepEqual({ ...recovered }, { __typename: 'job', id, status: 'queued', processingInfo: { reached: 5 } })
    assert.equal((await server.once('again', fail)).status, 'failed')
    const retried = await server.mutate('mutation ($id: Int!) { retryJob(id: $id) { id status retryOfJobId input output } }', { id })
    assert.ok(retried.id > id)
    assert.deepEqual({ ...retried, id: 0 }, { __typename: 'job', id: 0, status: 'queued', retryOfJobId: id, input: { n: 1 }, output: null })
    assert.equal((await server.once('again')).id, retried.id)
  }],
]
