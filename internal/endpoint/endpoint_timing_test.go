package endpoint

import "testing"

func BenchmarkTemplate(b *testing.B) {
	for name, path := range map[string]string{
		"names":  "/api/v1/users/me/settings",
		"number": "/api/v1/orders/4711/items/7",
		"uuid":   "/api/v1/orders/550e8400-e29b-41d4-a716-446655440000/items",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Template(path)
			}
		})
	}
}

func BenchmarkPatternMatch(b *testing.B) {
	p, err := ParsePattern("POST */orders/{var1}")
	if err != nil {
		b.Fatal(err)
	}
	for name, template := range map[string]string{"match": "/api/v1/orders/{var1}", "other": "/api/v1/users/me/settings"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match("POST", "api.shop.example", template)
			}
		})
	}
}
