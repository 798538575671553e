// Checks on a running server everything that workers rely on which use the
// client of graphql-node-jobs, unmodified, and ends with 0 when all of it holds.
//
//   npm ci && node check.js http://127.0.0.1:8080/graphql
//
// It makes jobs of types of its own, leaves those of others alone and deletes
// nothing. Words behind the address select checks by a part of their name.

const { getNewClient } = require('@teamstarter/graphql-node-jobs')
const { Server } = require('./checks/server')

const all = [
  ...require('./checks/jobs'),
  ...require('./checks/workers'),
  ...require('./checks/cancelling'),
  ...require('./checks/pipelines'),
  ...require('./checks/events'),
]

/** patience bounds a check, in milliseconds: what does not come must not be waited for without end. */
const patience = 60000

function within(promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${patience / 1000} seconds`)), patience)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

async function main() {
  const [address, ...words] = process.argv.slice(2)
  if (!address) {
    throw new Error('say which server: node check.js http://127.0.0.1:8080/graphql')
  }
  const chosen = all.filter(([name]) => words.every((word) => name.includes(word)))
  if (chosen.length === 0) {
    throw new Error(`no check has the words ${words.join(' ')} in its name`)
  }
  // Without no-cache a list that was asked for once is never asked for again.
  const client = getNewClient(address, address.replace(/^http/, 'ws'), {
    defaultOptions: { query: { fetchPolicy: 'no-cache' } },
  })
  let failed = 0
  for (const [name, check] of chosen) {
    try {
      await within(check(new Server(address, client)))
      console.log(`ok      ${name}`)
    } catch (error) {
      failed++
      console.log(`FAILED  ${name}\n        ${error.stack.replace(/\n/g, '\n        ')}`)
    }
  }
  console.log(failed ? `${failed} of ${chosen.length} checks failed` : `all ${chosen.length} checks hold`)
  return failed ? 1 : 0
}

// Looping workers and the WebSocket would keep the process alive.
main().then(process.exit, (error) => {
  console.error('check:', error.message)
  process.exit(1)
})
