package limits

import "errors"

var (
	errNoForm  = errors.New("it cannot be read")
	errNoEntry = errors.New("there is no such entry on the denylist")
)
