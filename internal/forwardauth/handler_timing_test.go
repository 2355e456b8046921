package forwardauth

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/seshat-project/seshat/internal/pipeline"
)

// BenchmarkAnswer is what a question costs here, without the connection.
func BenchmarkAnswer(b *testing.B) {
	f := func(name string, join bool) {
		b.Run(name, func(b *testing.B) {
			h, _ := newHandler(b, Config{Join: join}, pipeline.InlineConfig{})
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				r := nginx("GET", "/orders/42", "Cookie", fmt.Sprintf("SHOPSESS=k3vQ9xTt1LmN8pR2s%d", n%1000))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if !join {
					continue
				}
				if err := h.Observe(b.Context(), accessLine(w.Header().Get(ExchangeField), 200)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	f("observe=auth", false)
	f("observe=log", true)
}
