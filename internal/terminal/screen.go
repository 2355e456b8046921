// Package terminal shows what Seshat knows to a person: tables, the story of a session, explanations, progress.
//
// What is shown came from traffic, and whoever sent the traffic chose it. So every text is escaped before it is
// written (see [Escape]); colour and cutting are for terminals only, and what goes into a file or a pipe is whole.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Screen is where something is shown: a terminal, or anything else that takes text.
type Screen struct {
	w io.Writer
	// width is how many columns there are; 0 when it is no terminal, so that nothing is cut.
	width  int
	colour bool
}

// narrowest is the width below which cutting makes things worse: a smaller window wraps.
const narrowest = 40

// NewScreen returns a screen that writes to w. It has colour and a width if w is a terminal; noColour switches
// colour off there too.
func NewScreen(w io.Writer, noColour bool) *Screen {
	s := &Screen{w: w}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return s
	}
	s.colour = !noColour && os.Getenv("TERM") != "dumb"
	if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
		s.width = max(width, narrowest)
	}
	return s
}

// FixedScreen returns a screen of the given width (0 does not cut) with or without colour, whatever w is.
func FixedScreen(w io.Writer, width int, colour bool) *Screen {
	return &Screen{w: w, width: width, colour: colour}
}

// IsTerminal reports whether a person looks at the screen.
func (s *Screen) IsTerminal() bool { return s.width > 0 }

// Write implements [io.Writer]. It writes as it is: texts from traffic go through [Escape] first.
func (s *Screen) Write(p []byte) (int, error) { return s.w.Write(p) }
