package jwt

import (
	"fmt"
	"strings"
	"testing"
)

func TestChoiceOfKey(t *testing.T) {
	right, wrong := signer{edKey(), EdDSA}, signer{p256(), ES256}
	f := func(header string, keys []*Key, want Kind, wantStale bool, wantText string) {
		t.Helper()
		_, err := VerifySignature(right.token(header, goodPayload), keySet(t, keys...))
		if KindOf(err) != want || NewerKeysMayHelp(err) != wantStale || (err != nil && !strings.Contains(err.Error(), wantText)) {
			t.Errorf("%s: %v (kind %s, stale %t); want %s, stale %t, %q", header, err, KindOf(err), NewerKeysMayHelp(err), want, wantStale, wantText)
		}
	}
	other, err := NewKey("k", must(edPublic()), 0)
	if err != nil {
		t.Fatal(err)
	}
	unnamedOther, err := NewKey("", must(edPublic()), 0)
	if err != nil {
		t.Fatal(err)
	}
	const named, unnamed = `{"alg":"EdDSA","kid":"k"}`, `{"alg":"EdDSA"}`
	f(named, nil, UnknownKey, true, "there are no keys")
	f(named, []*Key{right.key(t, "k")}, 0, false, "")
	f(named, []*Key{right.key(t, "K")}, UnknownKey, true, `no key has the ID "k"`)
	f(named, []*Key{wrong.key(t, "k")}, WrongAlgorithm, false, `the key "k" is not for EdDSA`)
	f(named, []*Key{wrong.key(t, "k"), right.key(t, "k")}, 0, false, "") // one ID, two types
	f(named, []*Key{other, right.key(t, "k")}, 0, false, "")             // one ID, two keys
	f(named, []*Key{other, right.key(t, "x")}, BadSignature, false, `not that of the key "k"`)
	f(named, []*Key{other, right.key(t, "")}, BadSignature, false, `not that of the key "k"`) // it names another
	f(named, []*Key{wrong.key(t, "x"), right.key(t, "")}, 0, false, "")                       // as a PEM has none
	f(named, []*Key{unnamedOther}, UnknownKey, true, `no key has the ID "k", and the signature`)
	f(named, []*Key{wrong.key(t, "")}, UnknownKey, true, "no key is for EdDSA")
	f(unnamed, []*Key{wrong.key(t, "a"), other, right.key(t, "b")}, 0, false, "")
	f(unnamed, []*Key{other}, BadSignature, true, "not that of any key")
	f(unnamed, []*Key{wrong.key(t, "k")}, UnknownKey, true, "no key is for EdDSA")
	f(`{"alg":"EdDSA","kid":""}`, []*Key{right.key(t, "k")}, UnknownKey, true, `no key has the ID ""`)
	f(`{"alg":"EdDSA","kid":"../../dev/null"}`, []*Key{right.key(t, "k")}, UnknownKey, true, `"../../dev/null"`)
	f(`{"alg":"EdDSA","kid":"\u001b[2J\u202e"}`, []*Key{right.key(t, "k")}, UnknownKey, true, `"\x1b[2J\u202e"`)

	// The number of keys that are tried is bounded.
	var many []*Key
	for i := range MaxTried - 1 {
		k, err := NewKey(fmt.Sprint(i), must(edPublic()), 0)
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, k)
	}
	f(unnamed, append(many, right.key(t, "last")), 0, false, "")
	f(unnamed, append(many, other, right.key(t, "last")), UnknownKey, false, "does not say which")
	f(`{"alg":"EdDSA","kid":"last"}`, append(many, other, right.key(t, "last")), 0, false, "")

	if _, err := NewKeySet(make([]*Key, MaxKeys+1)...); err == nil {
		t.Error("a set of too many keys is taken")
	}
}
