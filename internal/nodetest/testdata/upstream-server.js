// Migrates a PostgreSQL database with graphql-node-jobs' own migrations and
// serves it with graphql-node-jobs' own server.
//
//   export NODE_PATH=$PWD/examples/node-worker/node_modules     # after npm ci there
//   node internal/nodetest/testdata/upstream-server.js postgres://user@host:5432/database 8080
//
// It prints a line when it can be asked. Port 0 is any free one.

const jobs = require('@teamstarter/graphql-node-jobs')
const { PubSub } = require('graphql-subscriptions')

const [database, port] = process.argv.slice(2)

/** config is the URL as Sequelize wants it. */
function config() {
  const url = new URL(database)
  return {
    dialect: 'postgres',
    host: url.hostname,
    port: Number(url.port || 5432),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
    logging: false,
    pool: { max: 10 },
  }
}

async function main() {
  const models = await jobs.getModelsAndInitializeDatabase({ dbConfig: config() })
  await jobs.migrate(models)
  process.env.PORT = port
  const server = await jobs.getStandAloneServer(config(), { pubSubInstance: new PubSub() })
  if (!server.listening) {
    await new Promise((resolve) => server.once('listening', resolve))
  }
  console.log(`upstream serves http://127.0.0.1:${server.address().port}/graphql`)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
