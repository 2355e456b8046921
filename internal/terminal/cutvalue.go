package terminal

import (
	"fmt"
	"unicode/utf8"
)

// mostValue is how many bytes of a value are shown to people. Values that a rule keeps in the clear may have megabytes;
// the JSON has them whole.
const mostValue = 200

// CutValue is s, or its beginning with how much was left out where s is long.
func CutValue(s string) string {
	if len(s) <= mostValue {
		return s
	}
	end := mostValue
	for end > mostValue-utf8.UTFMax && !utf8.RuneStart(s[end]) { // not within a character
		end--
	}
	return fmt.Sprintf("%s… (%s more)", s[:end], Plural(int64(len(s)-end), "byte", "bytes"))
}
