package main

import (
	"crypto/x509"

	"github.com/seshat-project/seshat/internal/config"
)

// oidcFiles reads what the configuration of an OpenID provider names: the secret of the client, and who signs the provider's
// certificate.
func oidcFiles(o *config.OIDC) (secret string, ca *x509.CertPool, err error) {
	if o.ClientSecretFile != "" {
		if secret, err = readSecret("api.signIn.oidc.clientSecretFile", o.ClientSecretFile); err != nil {
			return "", nil, err
		}
	}
	ca, err = authorities("api.signIn.oidc.ca", o.CA)
	return secret, ca, err
}
