// Checks of subscriptions, which the package's client gets over a WebSocket.

const assert = require('assert/strict')
const gql = require('graphql-tag')
const { until } = require('./server')

/**
 * Events are what a subscription brought so far. When the server has begun to
 * listen is not told, so ready repeats something until it brings an event.
 */
class Events {
  constructor(server, text) {
    this.list = []
    this.subscription = server.client.subscribe({ query: gql(text) }).subscribe({
      next: ({ data }) => this.list.push(Object.values(data)[0]),
      error: (error) => (this.error = error),
    })
  }

  find(condition) {
    this.check()
    return this.list.find(condition)
  }

  check() {
    if (this.error) {
      throw this.error
    }
  }

  async ready(trigger, condition = () => true) {
    await until('the subscription is there', async () => {
      await trigger()
      await new Promise((resolve) => setTimeout(resolve, 50))
      this.check()
      return this.list.some(condition) // an event may be null
    })
  }

  end() {
    this.subscription.unsubscribe()
  }
}

module.exports = [
  ['jobCreated and jobUpdated tell of what happens to a job', async (server) => {
    const created = new Events(server, 'subscription { jobCreated { id type status input createdAt } }')
    const updated = new Events(server, 'subscription { jobUpdated { id type status output processingInfo } }')
    const probe = await server.create('probe')
    await created.ready(() => server.create('probe'), (job) => job.type === server.type('probe'))
    await updated.ready(() => server.set({ id: probe.id, name: 'again' }), (job) => job.id === probe.id)

    const { id } = await server.create('event', { input: { n: 1 } })
    const event = await until('jobCreated', () => created.find((job) => job.id === id))
    assert.deepEqual({ ...event, createdAt: Date.parse(event.createdAt) > 0 }, {
      __typename: 'job', id, type: server.type('event'), status: 'queued', input: { n: 1 }, createdAt: true,
    })
    await server.once('event', async (job, { updateProcessingInfo }) => {
      await updateProcessingInfo({ percent: 50 })
      return { n: 2 }
    })
    await until('jobUpdated with the progress', () => updated.find((job) => job.id === id && job.status === 'processing' && job.processingInfo?.percent === 50))
    const last = await until('jobUpdated with the end', () => updated.find((job) => job.id === id && job.status === 'successful'))
    assert.deepEqual(last.output, { n: 2 })
    created.end()
    updated.end()
  }],

  ['jobUpdated of one job tells of that job', async (server) => {
    const { id } = await server.create('watched')
    const updated = new Events(server, `subscription { jobUpdated(id: ${id}) { id name } }`)
    await updated.ready(() => server.set({ id, name: 'seen' }), (job) => job.id === id && job.name === 'seen')
    updated.end()
  }],

  ['ping, pong and workerMonitoringUpdate reach who subscribed', async (server) => {
    const pinged = new Events(server, 'subscription { pinged { success } }')
    const ponged = new Events(server, 'subscription { ponged { workerId workerType workerStatus } }')
    const monitored = new Events(server, 'subscription { workerMonitoringUpdated { workerId workerType workerStatus } }')
    const workers = [{ workerId: '17', workerType: server.type('worker'), workerStatus: 'AVAILABLE' }]
    const mine = (list) => list?.[0]?.workerType === workers[0].workerType
    await pinged.ready(() => server.mutate('mutation { ping { success } }'))
    const pong = 'mutation ($list: [workerInfoInput]) { pong(workerInfoInput: $list) { success } }'
    await ponged.ready(() => server.mutate(pong, { list: workers }), mine)
    const update = 'mutation ($list: [workerInfoInput]) { workerMonitoringUpdate(workers: $list) { success } }'
    await monitored.ready(() => server.mutate(update, { list: workers }), mine)
    const stored = await server.query('query ($where: SequelizeJSON) { workerMonitoring(where: $where) { workerId workerStatus } }', {
      where: { workerType: workers[0].workerType },
    })
    assert.deepEqual({ ...stored[0] }, { __typename: 'workerMonitoring', workerId: 17, workerStatus: 'AVAILABLE' })
    for (const events of [pinged, ponged, monitored]) {
      events.end()
    }
  }],
]
