// Package test holds scenarios of the whole program: each builds a data directory of its own, runs the binary as a user
// would, and compares what comes out with what another tool, or the scenario itself, counted. They import nothing of
// the program.
//
// Some need jq, awk, a shell, or the recordings that SESHAT_MATERIAL names, and skip, saying so, where that is missing;
// with SESHAT_NO_SKIP=1 they fail instead.
package test
