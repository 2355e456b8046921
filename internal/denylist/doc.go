// Package denylist keeps the list of what is refused: sessions, client session IDs, users, and what was issued before a
// time. The entries are in a key-value store that all processes share and watch, so that each of them refuses within a
// moment what one was told to refuse, and after a restart still does.
package denylist
