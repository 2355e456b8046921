package editor

import (
	"strconv"

	"github.com/seshat-project/seshat"
)

// maxLine is how many characters a line of a form may have: more than any text of a resource.
const maxLine = "8192"

// describes is the aria-describedby of a control.
func describes(name string, helped bool) string {
	id := ID(name)
	if helped {
		return id + "-help " + id + "-error"
	}
	return id + "-error"
}

func faulty(n int) string {
	if n == 1 {
		return "One thing is wrong"
	}
	return strconv.Itoa(n) + " things are wrong"
}

// words is what is wrong, with what to do.
func words(one seshat.Fault) string {
	if one.Hint == "" {
		return one.Message
	}
	return one.Message + " (" + one.Hint + ")"
}
