package session

import (
	"strconv"
	"strings"

	"github.com/seshat-project/seshat/internal/api/wire"
)

// curl is a command that sends the request of an exchange again, as far as it is kept: secrets are not, and stand there as
// placeholders in angle brackets.
func curl(x *wire.Exchange) string {
	scheme := x.Scheme
	if scheme == "" {
		scheme = "https"
	}
	parts := []string{"curl"}
	if x.Method != "GET" {
		parts = append(parts, "-X "+quote(x.Method))
	}
	parts = append(parts, quote(scheme+"://"+x.Host+x.Path))
	if x.UserAgent != "" {
		parts = append(parts, "-A "+quote(x.UserAgent))
	}
	if x.Origin != "" {
		parts = append(parts, "-H "+quote("Origin: "+x.Origin))
	}
	var cookies []string
	sent := map[string]bool{}
	body := false
	for i := range x.ClientSessionIDs {
		id := &x.ClientSessionIDs[i]
		if id.Side != "request" || sent[id.Location+"\x00"+id.Field] {
			continue
		}
		sent[id.Location+"\x00"+id.Field] = true
		switch id.Location {
		case "cookie":
			cookies = append(cookies, id.Field+"=<"+id.Field+">")
		case "header":
			parts = append(parts, "-H "+quote(id.Field+": "+placeholder(id)))
		case "body":
			body = true
		}
	}
	if len(cookies) > 0 {
		parts = append(parts, "-b "+quote(strings.Join(cookies, "; ")))
	}
	if body || x.RequestBytes > 0 {
		parts = append(parts, "--data "+quote("<body of "+strconv.FormatInt(x.RequestBytes, 10)+" bytes>"))
	}
	return strings.Join(parts, " \\\n  ")
}

func placeholder(id *wire.ClientSessionID) string {
	if strings.EqualFold(id.Field, "Authorization") {
		return "Bearer <token>"
	}
	return "<" + id.Field + ">"
}

// quote is a text as one word of a POSIX shell. What would act on a terminal is left out.
func quote(text string) string {
	var out strings.Builder
	out.WriteByte('\'')
	for _, r := range strings.ToValidUTF8(text, "") {
		switch {
		case r == '\'':
			out.WriteString(`'\''`)
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('\'')
	return out.String()
}
