package rules

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/console/editor"
)

// newIdentifier are the texts of an identifier that is added, but for the form it has.
const newIdentifier = "obfuscate=on&jwtClaim.place=header&jwtClaim.name=Authorization&extract.location=body&extract.key.op=equals" +
	"&expiration.attribute.location=body&expiration.attribute.key.op=equals&expiration.attribute.format=durationSeconds"

func identifierForms() []editor.Option {
	return []editor.Option{
		{Value: formCookie, Name: "a cookie"},
		{Value: formHeader, Name: "a header"},
		{Value: formJWTClaim, Name: "a claim of a JWT"},
		{Value: formExtract, Name: "any other place"},
	}
}

func identifierTypes() []editor.Option {
	return []editor.Option{
		{Value: "", Name: "a session handle, or a token that stands for the session"},
		{Value: "accessToken", Name: "an access token, renewed while the session goes on"},
		{Value: "refreshToken", Name: "a refresh token"},
		{Value: "authorizationCode", Name: "an authorization code"},
		{Value: "apiKey", Name: "an API key of a service"},
		{Value: "claim", Name: "a claim that several tokens share"},
		{Value: "transaction", Name: "a handle of one interaction, such as a sign-in form"},
	}
}

func expirationFormats() []editor.Option {
	return []editor.Option{
		{Value: "durationSeconds", Name: "a length of time in seconds"},
		{Value: "durationMilliseconds", Name: "a length of time in milliseconds"},
		{Value: "epochSeconds", Name: "a time in seconds since 1970"},
		{Value: "epochMilliseconds", Name: "a time in milliseconds since 1970"},
	}
}

// shown is the step that is shown where scripts run; of the text there is only one.
func (d *draft) shown() int {
	if d.asYAML {
		return 0
	}
	return d.step
}

// back is where to go when nothing is to be saved.
func (d *draft) back() string {
	if d.exists() {
		return address(d.name)
	}
	return pathList
}

func nextStep(step int) string {
	if step == stepScope {
		return "Next: identifiers"
	}
	return "Next: review"
}

func partName(name string, n int) string {
	if n == 0 {
		return name
	}
	return name + " (" + strconv.Itoa(n) + ")"
}

// partOpen reports whether a list is shown: when there is something in it, or something was just taken out.
func partOpen(f *editor.Form, list string) bool {
	return f.Items(list) > 0 || strings.HasPrefix(f.Focus, list) || f.WrongWithin(list)
}

// moreOpen reports whether what few rules set is shown.
func (d *draft) moreOpen() bool {
	for _, name := range []string{"spec.idleTimeout", "spec.absoluteLifetime", "spec.priority", "metadata.labels", "metadata.uid"} {
		if d.form.Get(name) != "" || d.form.Wrong(name) != "" {
			return true
		}
	}
	return false
}

// The heights of the text: as many rows as it has lines, within reason.
const leastRows, mostRows = 16, 40

func rows(text string) string {
	return strconv.Itoa(max(leastRows, min(mostRows, strings.Count(text, "\n")+2)))
}
