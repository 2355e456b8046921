package identify

import "github.com/seshat-project/seshat"

// The names of the fallback's two identifiers.
const (
	NameAddressAndAgent = "ip+user-agent"
	NameAddress         = "ip"
)

// unknownAddress stands for an address that the source does not know, so that every exchange has a session.
const unknownAddress = "unknown"

// fallback adds address and user agent, if there is one, and the address alone.
func (w *Worker) fallback(out *seshat.Identity) {
	address := w.address()
	if address == "" {
		address = unknownAddress
	}
	if agent := w.userAgent(); agent != "" {
		agent = agent[:min(len(agent), MaxIDLength-len(address)-1)]
		text := append(w.arena.take(len(address)+1+len(agent)), address...)
		text = append(append(text, ' '), agent...)
		out.IDs = append(out.IDs, seshat.FoundID{
			Value: seshat.ClientSessionID(w.arena.keep(text)), Index: 0, Name: NameAddressAndAgent,
			Origin: seshat.OriginFallback, Kind: seshat.KindUserAgent, Where: seshat.LocationUserAgent, Key: "User-Agent",
		})
	}
	out.IDs = append(out.IDs, seshat.FoundID{
		Value: seshat.ClientSessionID(address), Index: 1, Name: NameAddress,
		Origin: seshat.OriginFallback, Kind: seshat.KindAddress, Where: seshat.LocationClientIP,
	})
}
