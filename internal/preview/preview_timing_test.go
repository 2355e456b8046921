package preview_test

import (
	"context"
	"testing"

	"github.com/seshat-project/seshat/internal/preview"
)

// BenchmarkTry tries drafts on 5,000 exchanges, which somebody waits for.
func BenchmarkTry(b *testing.B) {
	s := newShop(100, 50)
	for name, add := range map[string]string{
		"found":  sessionRule("shop", `identifiers: [{header: X-Visit}]`),
		"missed": sessionRule("shop", `identifiers: [{header: X-None}, {cookie: NONE}, {extract: {location: header, key: X-Visit}, transformations: [{jwtClaim: sid}]}]`),
		"limit":  declared("Limit", "all", `key: [session], count: 5, window: 1s`),
		"mask":   declared("MaskRule", "all", `location: header, key: {startsWith: X-N}`),
	} {
		b.Run(name, func(b *testing.B) {
			in := newInput(b, s.exchanges, declaredUser, add)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := preview.Try(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
