// Command caddy is Caddy with its standard modules and Seshat.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/seshat-project/seshat/caddymodule"
)

func main() { caddycmd.Main() }
