// Package ruletest tests rules as data: a file names rules and exchanges, and what identification must and must not
// find in them. A failure alone tells what is wrong: the line of the expectation, what was wanted, what came, and how
// identification came to that.
package ruletest
