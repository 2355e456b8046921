package enforce_test

import "encoding/base64"

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// unsigned is a token that nobody signed.
func unsigned(claims string) string { return b64(`{"alg":"none"}`) + "." + b64(claims) + "." }
