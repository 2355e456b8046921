// Package forwardauth answers web servers and proxies that ask before they forward: NGINX's auth_request, Traefik's
// ForwardAuth, Caddy's forward_auth. They send the head of each request, and pass the request on, or not, by the
// answer's status.
//
// What is asked is half an exchange: no body, and no response. By default the half is recorded as it is. With an access
// log that is followed, the half waits for the line of the log that names it: the line brings the response, and one
// whole exchange is recorded. Cookies and tokens come with the question and need not be in the log.
//
// So that no request becomes two exchanges, each question gets an ID of its own ([ExchangeField]), which the proxy
// writes into its log, and one rule holds: a line with an ID ends the half that it names, and is not recorded beside it.
package forwardauth
