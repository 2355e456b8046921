package settings

import (
	"errors"
	"strconv"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/web"
)

// question asks whether to do something that cannot be undone. Without scripts there are no dialogs.
type question struct {
	text, action, button, back string
	revision                   uint64 // of what it is about; 0 of what has none
}

// revisionOf is the revision that a form carries; 0 when it carries none.
func revisionOf(q *web.Request) uint64 {
	r, err := strconv.ParseUint(q.PostFormValue("revision"), 10, 64)
	if err != nil {
		return 0
	}
	return r
}

func formError(op, what string) error {
	return &seshat.Error{Kind: seshat.ErrorUsage, Op: op, Err: errors.New(what), Hint: "open the page anew"}
}
