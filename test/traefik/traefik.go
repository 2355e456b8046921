//go:build tools

// Package traefik pins the Traefik that tests run against. It is built from source by test/install.sh.
package traefik

import _ "github.com/traefik/traefik/v3/cmd/traefik"
