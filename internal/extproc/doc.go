// Package extproc is a source that acts: an Envoy sends each request to it (the external processing filter,
// envoy.service.ext_proc.v3) before it passes it on, and each answer before it passes that back.
//
// One gRPC stream is one HTTP request. What Envoy sends becomes a seshat.Exchange and goes through pipeline.Inline; the
// verdict goes back as header mutations, as dynamic metadata, or as an immediate response. Bodies are asked for with a
// mode override only where something in scope looks for a value in them.
//
// The messages are read from and written to the wire by hand (incoming.go, outgoing.go): a request's header fields become
// two allocations where generated code makes several for each field, and half of what an external processor costs is
// that. Tests hold both to the generated types.
package extproc
