package endpoint

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTemplate(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := Template(path); got != want {
			t.Errorf("Template(%q)\n got %q\nwant %q", path, got, want)
		}
	}
	same := func(paths ...string) {
		t.Helper()
		for _, path := range paths {
			f(path, path)
		}
	}
	// Names stay.
	same("/", "*", "/api/v1/users", "/api/v2.1/users/", "/v1beta1/projects", "/apis/apps/v1alpha2", "/v1p1beta1/images",
		"/oauth2/token", "/oauth2callback", "/s3/buckets", "/mp3", "/k8s/pods", "/i18n/en-US", "/base64encode", "/h2", "/p2p",
		"/.well-known/openid-configuration", "/.well-known/jwks.json", "/static/app.css", "/js/jquery-3.6.0.min.js",
		"/index.php", "/wp-admin/admin-ajax.php", "/wp-json/wp/v2/posts", "/rest/api/2.0/issue", "/odata/v4/$metadata",
		"/_search", "/users/me", "/getUserOrdersById", "/GetUserOrders", "/userProfileSettingsPage", "/sha256/verify",
		"/x509/certs", "/ipv4", "/login", "/logout", "/en/products/shoes", "/fonts/inter.woff2", "/files:upload",
		"/account/two-factor/recovery-codes", "/graphql", "/socket.io/", "/AUTH/REALMS/MASTER", "/realms/shop/protocol/openid-connect/token",
		"/deadbeef", "/facade/cafe", "/web3/eth", "/a/b/c/d/e", "/AmazonS3/CreateBucket", "/feed.xml", "/sitemap.xml", "/1.0/status",
		"/1.2.3/download", "/beta/rc1", "/level2/support", "/..", "/.", "/api/internalServiceConfigurationManager")
	// Numbers, also in names.
	f("/orders/42", "/orders/{var1}")
	f("/orders/42/items/7", "/orders/{var1}/items/{var2}")
	f("/users/1001/orders/2002/", "/users/{var1}/orders/{var2}/")
	f("/items/-5", "/items/{var1}")
	f("/2024/05/17/title", "/{var1}/{var2}/{var3}/title")
	f("/users/user_12345", "/users/{var1}")
	f("/users/user12345", "/users/{var1}")
	f("/invoices/INV-2024-001", "/invoices/{var1}")
	f("/reports/2024-01-31", "/reports/{var1}")
	f("/reports/2024-01-31T10:00:00Z", "/reports/{var1}")
	f("/hosts/10.0.0.1", "/hosts/{var1}")
	f("/at/48.8566,2.3522", "/at/{var1}")
	f("/v20240101/x", "/{var1}/x")
	// Identifiers of every kind.
	f("/o/550e8400-e29b-41d4-a716-446655440000", "/o/{var1}")
	f("/o/550E8400E29B41D4A716446655440000", "/o/{var1}")
	f("/o/5f8d0d55b54764421b7156c3", "/o/{var1}") // MongoDB
	f("/o/3f2a9c1", "/o/{var1}")                  // short git hash
	f("/o/1a2b3c4d", "/o/{var1}")
	f("/o/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/o/{var1}")  // ULID
	f("/o/0ujtsYcgvSTl8PAuAdqWYSMnLOv", "/o/{var1}") // KSUID
	f("/o/V1StGXR8_Z5jdHi6B-myT", "/o/{var1}")       // nanoid
	f("/o/cus_NffrFeUfNV2Hib", "/o/{var1}")          // Stripe
	f("/o/pi_3MtwBwLkdIwHu7ix28a3tqPa/confirm", "/o/{var1}/confirm")
	f("/o/C024BE91L", "/o/{var1}")                                    // Slack
	f("/watch/dQw4w9WgXcQ", "/watch/{var1}")                          // YouTube
	f("/dp/B08N5WRWNW", "/dp/{var1}")                                 // Amazon
	f("/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms", "/d/{var1}") // Google Drive
	f("/r/tdzcbjgcvo1gdxa/148foylcwegyqxi", "/r/{var1}/{var2}")       // PocketBase
	f("/auth/kIQUog2CQgdzhADzlxqhlegPs-QPExHTaDWmjgljUri", "/auth/{var1}")
	f("/u/alice@example.org", "/u/{var1}")
	f("/u/alice%40example.org", "/u/{var1}")
	f("/u/@alice", "/u/{var1}")
	f("/~alice/public", "/{var1}/public")
	f("/search/red%20shoes", "/search/{var1}")
	f("/k/größe", "/k/{var1}")
	f("/b/aGVsbG8gd29ybGQ=", "/b/{var1}")
	f("/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln", "/t/{var1}")
	f("/a/"+strings.Repeat("long-", 10), "/a/{var1}")
	f("/a/\x00\x1b[31m", "/a/{var1}")
	f("/a/<script>", "/a/{var1}")
	// What is around a value stays.
	f("/orders/42.json", "/orders/{var1}.json")
	f("/assets/main.8d3f2a1b.js", "/assets/{var1}.js")
	f("/operations/42:cancel", "/operations/{var1}:cancel")
	f("/odata/Orders(42)/Items('a,b')", "/odata/Orders({var1})/Items({var2})")
	f("/shards/a:b:c", "/shards/{var1}")
	// Templates of other notations.
	same("/orders/{var1}/items/{var2}.json", "/Orders({var1})", "/operations/{var1}:cancel")
	f("/orders/{id}/items/{var1}", "/orders/{var1}/items/{var2}")
	// Shape.
	f("", "/")
	f("//orders///42//", "/orders/{var1}/")
	f("/orders;v=1/42;jsessionid=AB12/x", "/orders/{var1}/x")
	f("/orders/42?x=1", "/orders/{var1}")
	f("/;x=1", "/")
	f("orders/42", "orders/{var1}")
}

func TestTemplateIsBounded(t *testing.T) {
	f := func(path string) {
		t.Helper()
		got := Template(path)
		if len(got) > MaxTemplate || !strings.HasSuffix(got, "/{rest}") || Template(got) != got {
			t.Errorf("Template(%.40q...) has %d bytes: %q", path, len(got), got)
		}
	}
	f(strings.Repeat("/a", 1000))
	f(strings.Repeat("/1", 1000))
	f(strings.Repeat("/abcdefg", 100) + "/{rest}")
	f(strings.Repeat("/Orders(1)", 100))
	f("/{rest}/x")
}

func TestTemplateDoesNotAllocate(t *testing.T) {
	for _, path := range []string{"/api/v1/users/me", "/orders/{var1}/items/{var2}.json", "/"} {
		if n := testing.AllocsPerRun(100, func() { Template(path) }); n != 0 {
			t.Errorf("Template(%q): %v allocations", path, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Template("/orders/42/items/7") }); n > 2 {
		t.Errorf("%v allocations", n)
	}
}

// checkTemplate checks what holds for the template of every path.
func checkTemplate(t interface{ Fatalf(string, ...any) }, path string) {
	got := Template(path)
	if again := Template(got); again != got {
		t.Fatalf("Template(%q) is %q, whose template is %q", path, got, again)
	}
	if len(got) > MaxTemplate || got == "" {
		t.Fatalf("Template(%q) has %d bytes", path, len(got))
	}
	if appended := string(AppendTemplate([]byte("x"), path)); appended != "x"+got {
		t.Fatalf("AppendTemplate(%q) = %q, want %q", path, appended, "x"+got)
	}
	for i := range len(got) {
		if got[i] <= ' ' || got[i] > '~' || got[i] == '?' || got[i] == ';' {
			t.Fatalf("Template(%q) = %q holds %q", path, got, got[i])
		}
	}
}

func TestTemplateProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.OneOf(rapid.StringMatching(`[a-z]{1,9}`), rapid.StringMatching(`[0-9]{1,6}`), rapid.StringMatching(`[A-Za-z0-9_.:()~{}-]{1,30}`),
			rapid.StringMatching(`[0-9a-f]{32}`), rapid.SampledFrom([]string{"{rest}", "{var1}", "v1", "", "*", "..", ";a=b", "Orders(1)", "1:get"}))
		segments := rapid.SliceOfN(segment, 0, 60).Draw(t, "segments")
		checkTemplate(t, "/"+strings.Join(segments, "/"))
	})
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"/orders/42", "//a//{rest}/x", "/Orders(1):get.json", "a/b;c/1.2.3", "/{var1}:abc/{var2}.js", strings.Repeat("/a1b2c3", 60)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) { checkTemplate(t, path) })
}

func TestIsRandom(t *testing.T) {
	f := func(s string, want bool) {
		t.Helper()
		if got := IsRandom(s); got != want {
			t.Errorf("IsRandom(%q) = %v, want %v", s, got, want)
		}
	}
	f("V1StGXR8_Z5jdHi6B-myTx", true)
	f("pi_3MtwBwLkdIwHu7ix28a3tqPa", true)
	f("31d4d96e407aad4231d4d96e407aad42", true)
	f("kqjzxwvbnmlkjhgfdsaqwertyuiopzzzz", true)
	f("550e8400-e29b-41d4-a716-446655440000", false)
	f("12345678901234567890123456789012345", false)
	f("how-to-build-your-own-house-in-a-week", false)
	f("getUserOrdersByCustomerId", false)
	f("42", false)
	f("", false)
}
