// Package live follows what is stored while it is stored: [Feed] gives every exchange to those who follow, and [Rates] adds
// up the last quarter of an hour. It sees what the process that records has committed, and so the traffic of all gateways.
//
//	recorder, import ──Publish──> Feed ──> ring of the newest exchanges ──> Subscription, one for each who follows
//	                                 └───> Rates
//
// Whoever publishes never waits: a batch is noted, and worked on by another goroutine. All who follow read one ring, each at
// its own place, so that neither their number nor their filters cost the one who publishes anything. A reader that is too
// slow finds that what it wanted is gone, and is told how much. All memory is bounded: see the constants.
package live
