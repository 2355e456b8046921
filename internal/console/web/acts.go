package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
)

// refused returns why somebody does not get the form of an act at a pattern: none of the permissions that it is for is
// theirs. It would else be shown to them, and refused only when it is sent. The API decides all the same.
func (s *Site) refused(pattern string, v *ui.Viewer) error {
	needs := s.Acts[pattern]
	if len(needs) == 0 || slices.ContainsFunc(needs, v.Can) {
		return nil
	}
	return Forbidden(v, "The permission "+strings.Join(needs, " or ")+" is missing.")
}

// Forbidden says of a page that it is not for somebody, and what they can do about it.
func Forbidden(v *ui.Viewer, detail string) error {
	return &wire.Problem{
		Status: http.StatusForbidden, Title: "This is not for the role " + v.Role, Kind: "invalid", Detail: detail,
		Hint: "An administrator can give you another role, or do it for you.",
	}
}
