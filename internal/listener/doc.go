// Package listener accepts connections and finds out what they are before anybody answers on them: who is at the other end
// (PROXY protocol), whether that is too many of them, TLS with its certificate, its JA4 fingerprint, and whether HTTP/1.1 or
// HTTP/2 is spoken. Then it hands them over.
//
//	certificates, err := listener.LoadCertificates(files)
//	server, err := listener.New(listener.Config{Certificates: certificates}, handler)
//	socket, err := listener.Listen(ctx, ":8443")
//	go server.Serve(socket)
//	…
//	err = server.Drain(ctx) // stop accepting, let what is under way end, close the rest when ctx ends
package listener
