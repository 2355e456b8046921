package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/seshat-project/seshat/internal/jwt"
)

// webKey is the members of a key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2). Members of other names
// are ignored, "x5c" among them: the key counts, not a certificate for it.
type webKey struct {
	KeyType    string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Curve      string   `json:"crv"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	X          string   `json:"x"`
	Y          string   `json:"y"`

	// What is secret; only whether it is there counts.
	D     jsontext.Value `json:"d"`
	P     jsontext.Value `json:"p"`
	Q     jsontext.Value `json:"q"`
	DP    jsontext.Value `json:"dp"`
	DQ    jsontext.Value `json:"dq"`
	QI    jsontext.Value `json:"qi"`
	Other jsontext.Value `json:"oth"`
	K     jsontext.Value `json:"k"`
}

var errPrivate = errors.New("its private part is in it: whoever reads it can sign, so it proves nothing; publish the public part of a new key")

// parseKey reads one key. The error is the reason why it is not used.
func parseKey(raw jsontext.Value) (id string, key *jwt.Key, err error) {
	if raw.Kind() != '{' {
		return "", nil, errors.New("not an object")
	}
	var m webKey
	if err := json.Unmarshal(raw, &m); err != nil {
		return "", nil, notJSON(err)
	}
	key, err = m.key()
	return m.ID, key, err
}

func (m *webKey) key() (*jwt.Key, error) {
	if m.KeyType == "oct" {
		return nil, errors.New("a shared secret: HMAC is not supported, and a secret does not belong in a key set")
	}
	for _, secret := range []jsontext.Value{m.D, m.P, m.Q, m.DP, m.DQ, m.QI, m.Other, m.K} {
		if secret != nil {
			return nil, errPrivate
		}
	}
	if m.Use != "" && m.Use != "sig" {
		return nil, fmt.Errorf(`its "use" is %q, not "sig"`, shorten(m.Use))
	}
	if m.Operations != nil && !slices.Contains(m.Operations, "verify") {
		return nil, errors.New(`its "key_ops" does not hold "verify"`)
	}
	var only jwt.Algorithm
	if m.Algorithm != "" {
		var err error
		if only, err = jwt.ParseAlgorithm(m.Algorithm); err != nil {
			return nil, err
		}
	}
	public, err := m.public()
	if err != nil {
		return nil, err
	}
	return jwt.NewKey(m.ID, public, only)
}

// public is the key itself.
func (m *webKey) public() (crypto.PublicKey, error) {
	switch m.KeyType {
	case "RSA":
		return m.rsa()
	case "EC":
		return m.ec()
	case "OKP":
		if m.Curve != "Ed25519" {
			return nil, fmt.Errorf("the curve %q is not supported", shorten(m.Curve))
		}
		x, err := number("x", m.X)
		if err != nil {
			return nil, err
		}
		return ed25519.PublicKey(x), nil
	case "":
		return nil, errors.New(`it has no "kty"`)
	default:
		return nil, fmt.Errorf("the type %q is not supported", shorten(m.KeyType))
	}
}

func (m *webKey) rsa() (*rsa.PublicKey, error) {
	n, err := number("n", m.N)
	if err != nil {
		return nil, err
	}
	e, err := number("e", m.E)
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("its exponent is too large")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func (m *webKey) ec() (*ecdsa.PublicKey, error) {
	var curve elliptic.Curve
	switch m.Curve {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, fmt.Errorf("the curve %q is not supported", shorten(m.Curve))
	}
	x, err := number("x", m.X)
	if err != nil {
		return nil, err
	}
	y, err := number("y", m.Y)
	if err != nil {
		return nil, err
	}
	// Coordinates have the whole length of the curve (RFC 7518, section 6.2.1.2).
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, fmt.Errorf("its coordinates do not have the %d bytes of %s", size, m.Curve)
	}
	point := append([]byte{4}, x...) // SEC 1, section 2.3.3: uncompressed
	public, err := ecdsa.ParseUncompressedPublicKey(curve, append(point, y...))
	if err != nil {
		return nil, fmt.Errorf("its point is not on %s", m.Curve)
	}
	return public, nil
}

// number reads a number, which is in Base64 as in tokens: URL-safe alphabet, no padding.
func number(name, text string) ([]byte, error) {
	if text == "" {
		return nil, fmt.Errorf("it has no %q", name)
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("its %q is not Base64 (URL-safe alphabet, no padding)", name)
	}
	return data, nil
}

// maxShown is how much of a name that is not known a reason shows.
const maxShown = 40

func shorten(s string) string { return s[:min(len(s), maxShown)] }
