package identify

import (
	"fmt"

	"github.com/seshat-project/seshat/internal/rule"
)

// BuiltInFaults returns what is wrong with the built-in set.
func BuiltInFaults() []string {
	var out []string
	names := map[string]bool{}
	for i, e := range builtInEntries() {
		_, faults := rule.CompileIdentifier(i, e.spec())
		for _, f := range faults {
			out = append(out, fmt.Sprintf("%s: %v", e.name, f))
		}
		if names[e.name] {
			out = append(out, "two entries are called "+e.name)
		}
		names[e.name] = true
	}
	if got, want := len(builtInParameters()), len(userFields)+1; got < want {
		out = append(out, fmt.Sprintf("%d of %d parameters compile", got, want))
	}
	return out
}
