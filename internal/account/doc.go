// Package account keeps who may use the console and the API: users with their roles, API tokens, the console's sessions, and
// one-time links. They are in a key-value store that all processes share and watch: a session that is ended in one of them
// ends in all. Of passwords, tokens and codes only digests are kept. See docs/accounts.md and docs/formats/accounts.md.
package account
