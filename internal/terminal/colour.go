package terminal

import "github.com/seshat-project/seshat"

// Style is how a text stands out on a screen with colour.
type Style string

// The styles: parameters of the SGR sequence (ECMA-48, section 8.3.117). The eight basic colours follow the user's
// own palette, so they can be read on light and on dark ground.
const (
	StylePlain  Style = ""
	StyleBold   Style = "1"
	StyleFaint  Style = "2"
	StyleRed    Style = "31"
	StyleGreen  Style = "32"
	StyleYellow Style = "33"
	StyleBlue   Style = "34"
	StyleCyan   Style = "36"
)

// Paint returns text in style, or text itself on a screen without colour.
func (s *Screen) Paint(style Style, text string) string {
	if !s.colour || style == StylePlain || text == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}

// StatusStyle is the style of a response status.
func StatusStyle(status int) Style {
	switch {
	case status >= 500:
		return StyleRed
	case status >= 400:
		return StyleYellow
	case status >= 300:
		return StyleCyan
	case status >= 200:
		return StyleGreen
	default:
		return StyleFaint
	}
}

// StateStyle is the style of a session's state.
func StateStyle(state seshat.State) Style {
	switch state {
	case seshat.StateActive:
		return StyleGreen
	case seshat.StateRevoked:
		return StyleRed
	case seshat.StateIdle, seshat.StateEnded, seshat.StateExpired:
		return StyleFaint
	default:
		return StylePlain
	}
}
