package demo

import (
	_ "embed"
	"strings"
)

//go:embed resources.yaml
var resources string

// Resources are what somebody who runs the shop would declare: session rules, a flow, a validation of the shop's tokens,
// and limits.
func (s *Shop) Resources() []byte {
	return []byte(strings.Replace(resources, "JWKS'", string(s.JWKS())+"'", 1))
}
