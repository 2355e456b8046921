// Package natskv keeps the key-value store in a bucket of NATS JetStream: of a server within this process, which
// listens on nothing, or of the user's own cluster.
package natskv
