package protect

import (
	"encoding/hex"
	"unsafe"

	"github.com/seshat-project/seshat"
)

// arena gathers the texts of one observation, so that they take one allocation together.
type arena struct {
	text   []byte
	places []place
}

// place says that text[start:end] is to be the string at to.
type place struct {
	to         *string
	start, end int
}

func (a *arena) reset() {
	clear(a.places)
	a.text, a.places = a.text[:0], a.places[:0]
}

// keep sets *to, once finish is called, to a clean copy of s of at most limit bytes.
func (a *arena) keep(to *string, s string, limit int) {
	if s == "" {
		return
	}
	start := len(a.text)
	a.text = append(a.text, clean(s, limit)...)
	a.places = append(a.places, place{to, start, len(a.text)})
}

// shorten is keep, with an ellipsis where s was cut.
func (a *arena) shorten(to *string, s string, limit int) {
	if len(s) <= limit {
		a.keep(to, s, limit)
		return
	}
	start := len(a.text)
	a.text = append(append(a.text, clean(s, limit)...), ellipsis...)
	a.places = append(a.places, place{to, start, len(a.text)})
}

// mask sets *to, once finish is called, to the masked form of value.
func (a *arena) mask(to *string, value string) {
	start := len(a.text)
	a.text = AppendMask(a.text, value)
	a.places = append(a.places, place{to, start, len(a.text)})
}

// digest sets *to, once finish is called, to d in hexadecimal.
func (a *arena) digest(to *string, d seshat.Digest) {
	start := len(a.text)
	a.text = hex.AppendEncode(a.text, d[:])
	a.places = append(a.places, place{to, start, len(a.text)})
}

// finish sets all the strings: to memory of their own, or to that of the arena, which is good until it is reset.
func (a *arena) finish(lent bool) {
	var text string
	if lent {
		text = unsafe.String(unsafe.SliceData(a.text), len(a.text)) //nolint:gosec // who borrows it knows how long
	} else {
		text = string(a.text)
	}
	for _, p := range a.places {
		*p.to = text[p.start:p.end]
	}
}
