package protect

import "github.com/seshat-project/seshat"

// Digests appends to dst the digests of the client session IDs of id, in their order, as an observation of the exchange
// will have them. An ID without a value has the zero digest.
func Digests(h *Hasher, id *seshat.Identity, dst []seshat.Digest) []seshat.Digest {
	for i := range id.IDs {
		var d seshat.Digest
		if value := id.IDs[i].Value; value != "" {
			d = h.HashString(string(value))
		}
		dst = append(dst, d)
	}
	return dst
}
