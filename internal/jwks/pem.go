package jwks

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/seshat-project/seshat/internal/jwt"
)

// parsePEM reads public keys and certificates. They have no ID, so they are tried for tokens of every "kid". Of a
// certificate only the key counts: neither its dates nor who signed it, since it was not chosen by the token.
func (b *builder) parsePEM(data []byte) error {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		key, err := parseBlock(block)
		if err := b.add("", key, err); err != nil {
			return err
		}
		data = rest
	}
	if b.index == 0 {
		return errors.New("the PEM is damaged")
	}
	return nil
}

func parseBlock(block *pem.Block) (*jwt.Key, error) {
	switch {
	case block.Type == "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("not a public key")
		}
		return jwt.NewKey("", public, 0)
	case block.Type == "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("not an RSA public key")
		}
		return jwt.NewKey("", public, 0)
	case block.Type == "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("not a certificate")
		}
		if certificate.KeyUsage != 0 && certificate.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
			return nil, errors.New("the certificate does not allow its key to sign (key usage)")
		}
		return jwt.NewKey("", certificate.PublicKey, 0)
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("a private key, which is not needed to verify; its public part is, for example from: openssl pkey -in FILE -pubout")
	default:
		return nil, fmt.Errorf("PEM of type %q is not supported", shorten(block.Type))
	}
}
