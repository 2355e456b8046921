package explorer

import (
	"net/url"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// exchangeAddress is where one exchange is shown with everything that is kept of it: within its session.
func exchangeAddress(x *wire.Exchange) string {
	return "/sessions/" + url.PathEscape(x.SessionID) + "/exchanges/" + url.PathEscape(x.Key)
}

func address(x *wire.Exchange) string {
	if !x.IP.IsValid() {
		return ""
	}
	return x.IP.Unmap().String()
}

func direction(v *view) string {
	if v.Oldest {
		return "ascending"
	}
	return "descending"
}

// turned is the value of order that turns the list round.
func turned(v *view) string {
	if v.Oldest {
		return ""
	}
	return "oldest"
}

// facetName is what a field is called on the page.
func facetName(field string) string {
	for _, c := range columns() {
		if c.id == field {
			return c.name
		}
	}
	return field
}

func facetValue(field string, v wire.FacetValue) string {
	switch {
	case !v.Absent:
		return v.Value
	case field == "user":
		return "anonymous"
	default:
		return "none"
	}
}
