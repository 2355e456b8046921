// Package protect keeps secrets out of everything that Seshat stores, logs and shows. It turns secret values into
// keyed digests and masked forms, and an exchange with its identity into an observation that holds no secret.
package protect
