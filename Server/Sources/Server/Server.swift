// SPDX-License-Identifier: Apache-2.0

// Server puts the stations together: it opens the store, hangs the receivers, the read interfaces and
// the page on their ports, and takes all of it down in order. It owns the configuration, the life
// cycle and what the server says of itself. It never handles a span.
//
// Invariants: no port beyond this machine is opened unless that was asked for by name; the store is
// open before the first port and closed after the last; `onReady` is called only when every port
// answers.
