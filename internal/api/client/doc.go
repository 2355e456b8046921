// Package client asks a running instance through its API. What it returns is what the store and the registry of the
// instance would have returned, errors included, so that commands need not know which of the two they have.
package client
