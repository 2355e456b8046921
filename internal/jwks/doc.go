// Package jwks reads the public keys that tokens are verified with: JSON Web Key Sets and single keys (RFC 7517), and
// public keys and certificates in PEM.
//
//	set, err := jwks.Parse(data)
//	token, claims, err := policy.Verify(text, set.Keys, now)
//
// A key set may hold keys for other purposes and of types that are not known; they are skipped, with the reason
// (RFC 7517, section 5). So is a key that is published with its private part: whoever reads the set can sign with it.
// Key sets at an address, kept fresh, are package remote.
package jwks
