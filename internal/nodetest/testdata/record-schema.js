// Records the whole schema of a GraphQL server, as its answer to the standard
// introspection query, on the standard output.
//
//   export NODE_PATH=$PWD/examples/node-worker/node_modules     # after npm ci there
//   node internal/nodetest/testdata/record-schema.js http://127.0.0.1:8080/graphql > schema.json
//
// testdata/upstream/schema.json is that of graphql-node-jobs 5.1.0, served by upstream-server.js.

const { getIntrospectionQuery } = require('graphql')

async function main(address) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  })
  const answer = await response.json()
  if (answer.errors) {
    throw new Error(answer.errors[0].message)
  }
  console.log(JSON.stringify(answer.data, null, 1))
}

main(process.argv[2]).catch((error) => {
  console.error(error)
  process.exit(1)
})
