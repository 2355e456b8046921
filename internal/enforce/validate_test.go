package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seshat-project/seshat/internal/enforce"
)

func validationYAML(name, rest string) string {
	return "---\napiVersion: seshat/v1\nkind: JWTValidation\nmetadata: {name: " + name + "}\nspec: {jwksURL: \"https://id.example/keys\"" + rest + "}\n"
}

func validating(t *testing.T, rest string, issuers ...issuer) (*gateway, *keys) {
	t.Helper()
	g := newGateway(t, "")
	source := &keys{}
	if len(issuers) > 0 {
		source.set.Store(keySet(t, issuers...))
	}
	g.use(sessionRule+validationYAML("shop", rest), map[string]enforce.KeySource{"shop": source})
	return g, source
}

func claims(rest string) string {
	return fmt.Sprintf(`{"iat":%d,"exp":%d%s}`, start().Unix(), start().Add(time.Hour).Unix(), rest)
}

func TestValidate(t *testing.T) {
	a, b := newIssuer("a"), newIssuer("b")
	g, source := validating(t, `, issuers: ["https://id"], audiences: [shop]`, a)
	good := a.token(claims(`,"iss":"https://id","aud":"shop"`))
	f := func(header, want, reason string) {
		t.Helper()
		if header == "" {
			g.send("GET /")
		} else {
			g.send("GET /", "Authorization: "+header)
		}
		g.want(want, &g.decision)
		if got := g.decision.Verdict.Reason; got != reason {
			t.Errorf("%s: reason %q, want %q", header, got, reason)
		}
	}
	f("Bearer "+good, "allow vouched", "")
	f("bearer  "+good, "allow vouched", "")
	f(good, "allow vouched", "")
	f("DPoP "+good, "allow vouched", "")
	f("", "allow", "")
	f("Basic Ym9iOnB3", "allow", "")
	f("Bearer "+a.token(claims(`,"iss":"https://other","aud":"shop"`)), "401 JWTValidation/shop", "the token is of another issuer")
	f("Bearer "+a.token(claims(`,"iss":"https://id","aud":"x"`)), "401 JWTValidation/shop", "the token is for another audience")
	f("Bearer "+unsigned(claims("")), "401 JWTValidation/shop", "the token's signature is not accepted")
	f("Bearer "+good[:len(good)-2]+"AA", "401 JWTValidation/shop", "the token's signature is not accepted")
	f("Bearer "+b.token(claims(`,"iss":"https://id","aud":"shop"`)), "401 JWTValidation/shop", "the token's key is not known")
	if n := source.misses.Load(); n != 1 {
		t.Errorf("newer keys were asked for %d times, want once", n)
	}
	f("Bearer opaque", "401 JWTValidation/shop", "the token is malformed")
	g.want("401 JWTValidation/shop", g.send("GET /", "Authorization: Bearer "+good, "Authorization: Bearer opaque"))
	g.want("allow vouched", g.send("GET /", "Authorization: Bearer "+good, "Authorization: Bearer "+good))
	g.wait(2 * time.Hour)
	f("Bearer "+good, "401 JWTValidation/shop", "the token has expired")
}

func TestValidationActions(t *testing.T) {
	a := newIssuer("a")
	good := "Authorization: Bearer " + a.token(claims(""))
	bad := "Authorization: Bearer " + newIssuer("b").token(claims(""))
	g, _ := validating(t, `, action: tag, required: true`, a)
	g.want("allow vouched", g.send("GET /", good))
	g.want("tag [JWTValidation/shop]", g.send("GET /", bad))
	g.want("tag [JWTValidation/shop]", g.send("GET /"))
	g, _ = validating(t, `, required: true, status: 403, token: {location: cookie, key: jwt}, endpoints: ["GET /api/*"]`, a)
	g.want("403 JWTValidation/shop", g.send("GET /api/x", good))
	g.want("allow", g.send("GET /other", good))
	g.want("allow vouched", g.send("GET /api/x", "Cookie: jwt="+a.token(claims(""))))
	g, _ = validating(t, ``) // no keys came yet
	g.want("401 JWTValidation/shop", g.send("GET /", good))
}

// TestKeysChange: what was verified with keys that are gone is verified anew.
func TestKeysChange(t *testing.T) {
	a, b := newIssuer("a"), newIssuer("b")
	g, source := validating(t, ``, a)
	old, young := "Authorization: Bearer "+a.token(claims("")), "Authorization: Bearer "+b.token(claims(""))
	g.want("allow vouched", g.send("GET /", old))
	g.want("401 JWTValidation/shop", g.send("GET /", young))
	source.set.Store(keySet(t, a, b))
	g.want("allow vouched", g.send("GET /", young))
	source.set.Store(keySet(t, b))
	g.want("401 JWTValidation/shop", g.send("GET /", old))
}

// TestAcceptedTokensAreRemembered: a flood of bad tokens does not have good ones verified again and again.
func TestAcceptedTokensAreRemembered(t *testing.T) {
	a := newIssuer("a")
	g, _ := validating(t, ``, a)
	good := "Authorization: Bearer " + a.token(claims(""))
	g.want("allow vouched", g.send("GET /", good))
	for i := range 40_000 {
		g.send("GET /", fmt.Sprintf("Authorization: Bearer bad-%d", i))
	}
	tables := map[string]enforce.TableStats{}
	for _, s := range g.enforcer.Stats().Tables {
		tables[s.Name] = s
	}
	if s := tables["tokens"]; s.Entries != 1 || s.Evicted != 0 {
		t.Errorf("tokens: %+v", s)
	}
	if s := tables["bad_tokens"]; s.Slots > 17<<10 {
		t.Errorf("bad tokens: %+v", s)
	}
	g.want("allow vouched", g.send("GET /", good))
}

// TestBadTokenWithAGoodClaim: whoever makes up a token with somebody's claim is not vouched for, and takes nothing away
// from that somebody.
func TestBadTokenWithAGoodClaim(t *testing.T) {
	a := newIssuer("a")
	g := newGateway(t, "")
	source := &keys{}
	source.set.Store(keySet(t, a))
	g.use(`---
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: sid}
spec: {identifiers: [{jwtClaim: {header: Authorization, claim: sid}, type: claim}]}
`+validationYAML("shop", ", action: tag"), map[string]enforce.KeySource{"shop": source})
	g.want("allow vouched", g.send("GET /", "Authorization: Bearer "+a.token(claims(`,"sid":"s1"`))))
	s := g.decision.Session
	g.want("tag [JWTValidation/shop]", g.send("GET /", "Authorization: Bearer "+unsigned(claims(`,"sid":"s1"`))))
	g.answer(401)
	g.use(`---
apiVersion: seshat/v1
kind: SessionRule
metadata: {name: sid}
spec: {identifiers: [{jwtClaim: {header: Authorization, claim: sid}, type: claim}]}
`, nil)
	g.want("allow vouched", g.send("GET /", "Authorization: Bearer "+a.token(claims(`,"sid":"s1","n":2`))))
	if g.decision.Session != s {
		t.Errorf("session %s, want %s", g.decision.Session, s)
	}
}
