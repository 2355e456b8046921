// Package seshat holds the nouns of Seshat: the exchange, the identity found in it, the session it belongs to,
// and the resources that declare how to find it. It imports only the standard library; every engine and every
// adapter speaks in these types.
//
// An exchange flows one way. A source turns a protocol into an [Exchange]; masking, identification and digesting
// turn that into an [Observation], which holds no secret; correlation assigns the observation to a [SessionID];
// the store keeps both. See ARCHITECTURE.md.
package seshat
