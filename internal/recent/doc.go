// Package recent keeps the last exchanges as they were seen, so that a draft of rules can be tried on them before it is
// saved. What is stored of an exchange holds no secret, and so cannot say what a rule that looks elsewhere would find.
//
// They are kept in memory only, a bounded number of them, without what mask rules hide, and are gone when the process
// ends. Where there is more traffic than is kept, all exchanges of some clients are, rather than some of all clients: a
// session with holes in it says nothing of sessions.
package recent
