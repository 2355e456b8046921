package main

import (
	"errors"
	"fmt"

	"github.com/seshat-project/seshat/internal/config"
	"github.com/seshat-project/seshat/internal/listener"
)

// checkFiles reads what a configuration names of certificates and of the secrets of signing in, as a start would.
func checkFiles(c *config.Config) error {
	var errs []error
	certificates := func(field string, t *config.TLS) {
		if t == nil {
			return
		}
		if _, err := listener.LoadCertificates(certificateFiles(t)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
		}
	}
	for i := range c.Listeners {
		certificates(fmt.Sprintf("listeners[%d].tls", i), c.Listeners[i].TLS)
	}
	certificates("api.tls", c.API.TLS)
	if o := c.API.SignIn.OIDC; o != nil {
		_, _, err := oidcFiles(o)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
