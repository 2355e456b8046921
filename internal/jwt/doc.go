// Package jwt verifies JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, by the rules of RFC 8725: whether to
// trust a token. What a token says, trusted or not, is read by package token.
//
//	keys, err := jwt.NewKeySet(key)                      // public keys, each with the algorithms it is for
//	policy := jwt.Policy{Issuers: []string{"https://id.example"}, Audiences: []string{"shop"}}
//	token, claims, err := policy.Verify(text, keys, now) // err is an *Error with a Kind
//
// The cryptography is the standard library's. This package decides what reaches it:
//
//   - A token is three parts in Base64 (URL-safe alphabet, no padding, no unused bits, nothing around it). Header and
//     payload are JSON objects in UTF-8 without members of one name. Tokens have a greatest length.
//   - A key says which algorithms it is for: the one that it was published with, else those of its type and curve. The
//     header of a token chooses among these, and never a key of another type. "none" and HMAC are refused, and so are
//     keys that are in the token or that it links to ("jwk", "jku", "x5c", "x5u"): they are not looked at.
//   - A "kid" chooses the keys of that ID. Keys without an ID are tried too, and all keys of a fitting type when the
//     token has none; the number that is tried is bounded.
//   - "crit" is refused, since no extension is understood, and so is "b64": false, which is not for JWTs (RFC 7797,
//     section 7).
//   - RSA keys have 2,048 to 8,192 bits, the salt of PSS the length of the hash, ECDSA signatures exactly twice the
//     length of the curve's order, and points lie on their curve.
//   - Claims are looked at when the signature is good, so that an error about them says that the token is real.
//
// Nothing here reads a clock, a file or the network, and no error holds the token or a part of it beyond short names
// of its header and the values of "iss" and "aud".
package jwt
