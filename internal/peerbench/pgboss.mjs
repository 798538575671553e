// pgboss.mjs URL MODE CLIENTS BATCH SECONDS JOBS
//
// Measures pg-boss on an empty database and prints its jobs a second as
// {"jobsPerSecond": n}. MODE is send, or work: fetch BATCH jobs and complete
// them, of so many JOBS sent in advance.

import { PgBoss } from 'pg-boss'

const [url, mode, ...numbers] = process.argv.slice(2)
const [clients, batch, seconds, jobs] = numbers.map(Number)
const queue = 'jobs'

const modes = {
  async send () {
    await boss.send(queue, {})
    return 1
  },
  async work () {
    const fetched = await boss.fetch(queue, { batchSize: batch })
    if (fetched.length > 0) await boss.complete(queue, fetched.map(job => job.id))
    return fetched.length
  }
}

// Without its maintenance, which measures nothing here. A connection a client.
const boss = new PgBoss({ connectionString: url, max: clients, supervise: false, schedule: false })
let failure
boss.on('error', error => { failure = error })
await boss.start()
await boss.createQueue(queue)
for (let left = jobs; left > 0; left -= 10_000) {
  await boss.insert(queue, Array.from({ length: Math.min(left, 10_000) }, () => ({ data: {} })))
}
if (jobs > 0) await boss.getDb().executeSql('VACUUM ANALYZE')

const begin = performance.now()
const until = begin + seconds * 1000
const counts = await Promise.all(Array.from({ length: clients }, async () => {
  let count = 0
  while (performance.now() < until) {
    const n = await modes[mode]()
    if (n === 0) break
    count += n
  }
  return count
}))
const took = (performance.now() - begin) / 1000

await boss.stop({ graceful: false })
if (failure) throw failure
console.log(JSON.stringify({ jobsPerSecond: counts.reduce((a, b) => a + b, 0) / took }))
