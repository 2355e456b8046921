package consoletest

import "strings"

// Hostile are texts that somebody may put where pages show what was in traffic or what people wrote, to break out of it.
func Hostile() []string {
	return []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `</title><svg onload=alert(1)>`,
		`</textarea><script>alert(1)</script>`, `{{7*7}}`, "\u202Eevil\u202C", "😀 " + strings.Repeat("long", 1000), `<!--`, `]]>`, `&lt;script&gt;`,
	}
}

// Breaks are the ways in which one of [Hostile] would show that a page took it for HTML.
func Breaks() []string {
	return []string{
		`<script>alert`, `<img src=x`, `<svg onload`, `' onmouseover='`, `href="javascript:`, `</textarea><script`,
	}
}
