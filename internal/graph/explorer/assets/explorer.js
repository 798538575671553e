// Starts GraphiQL at the endpoint that the page names.
"use strict";

(() => {
  const root = document.getElementById("explorer");
  const endpoint = new URL(root.dataset.endpoint, location.href).pathname;

  const socket = new URL(endpoint, location.href);
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";

  const fetcher = GraphiQL.createFetcher({
    url: endpoint,
    wsClient: graphqlWs.createClient({ url: socket.href }),
    enableIncrementalDelivery: false, // the server answers in one piece
  });

  // What was typed stays with this endpoint: the application that serves it may
  // have a GraphiQL of its own at the same origin.
  const prefix = "gnj " + endpoint + " ";
  const names = () => Object.keys(localStorage).filter((name) => name.startsWith(prefix));
  const storage = {
    getItem: (name) => localStorage.getItem(prefix + name),
    setItem: (name, value) => localStorage.setItem(prefix + name, value),
    removeItem: (name) => localStorage.removeItem(prefix + name),
    clear: () => names().forEach((name) => localStorage.removeItem(name)),
    get length() { return names().length; },
  };

  const welcome = `# GNJ, a job scheduler.
#
# Ctrl-Enter runs what the cursor is in.
# Ctrl-Space completes names.
# The book at the left explains every type.
# If this server asks for a header, such as
# Authorization, it goes under "Headers".

query Jobs {
  job(
    where: { status: ["queued", "processing"] }
    order: "reverse:id"
    limit: 10
  ) {
    id
    type
    status
    createdAt
  }
  jobCount
}

mutation Create {
  jobCreate(job: {
    type: "example"
    input: { hello: "world" }
  }) {
    id
    status
  }
}

# What a worker does: take the next job of
# these types, or null.
mutation Acquire {
  acquireJob(
    typeList: ["example"]
    workerId: "explorer"
  ) {
    id
    input
  }
}

# Stays open and shows each job that changes.
subscription Watch {
  jobUpdated {
    id
    status
  }
}
`;

  ReactDOM.createRoot(root).render(
    React.createElement(GraphiQL, { fetcher, storage, defaultQuery: welcome }),
  );
})();
