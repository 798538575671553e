// Package nodetest runs programs of Node against GNJ: the client of
// graphql-node-jobs, unmodified, and its own server beside ours on one
// database. It has tests only; they need node, npm and npm's registry or its
// cache, and say so where these are not there.
package nodetest
