// Package remote keeps the key set of an issuer, which is published at an address and changes: it fetches, caches and
// refreshes it.
//
//	keys, err := remote.New("https://id.example/jwks.json", remote.Options{})
//	go keys.Run(ctx)                                             // keeps it fresh until ctx ends
//	token, claims, err := policy.Verify(text, keys.Current(), now) // never waits
//	if jwt.NewerKeysMayHelp(err) {
//		keys.Miss()                                              // never waits; a flood of them costs the issuer nothing
//	}
//
// A refresh that fails leaves the keys as they are: an issuer that cannot be reached must not end every session.
package remote
