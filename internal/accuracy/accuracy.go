// Package accuracy scores how exchanges were grouped into sessions against a labelled truth.
//
// Two measures say how well groups agree. B-cubed (Bagga and Baldwin 1998) looks at each exchange: which share of its
// predicted session is of its true one (precision), and which share of its true session is in its predicted one
// (recall); both are averaged over all exchanges. Pairwise looks at each pair of exchanges that are together in one of
// the two groupings; it weighs large sessions more. F1 is the harmonic mean of precision and recall.
package accuracy

import (
	"sort"
	"strings"
)

// AnonymousPrefix begins the names of users that have no account. Each client without one has such a user of its own,
// so that mixing two is an error like any other; but it is not the error of mixing two people's accounts.
const AnonymousPrefix = "anon-"

// Truth is what is true of one exchange.
type Truth struct {
	ID      string // of the exchange
	Session string
	User    string
	Label   string // "benign", or the attack it is part of
}

// Prediction is what was found out about one exchange. The session is what is scored.
type Prediction struct {
	Session string
	// Fallback says that the exchange was grouped by address and user agent, not by anything that it carries. It
	// narrows [Score.MixedSignedIn] and nothing else.
	Fallback bool
}

// Input is what is scored. Exchanges of Truth that have no prediction count as sessions of their own: not to group is
// an answer too. Predictions of unknown exchanges are ignored and counted.
type Input struct {
	Truth      []Truth
	Prediction map[string]Prediction // by exchange ID
	Service    map[string]string     // by exchange ID; may be nil
}

// Ratio is a precision, a recall and their harmonic mean, each from 0 to 1.
type Ratio struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

// Score is how well one set of exchanges was grouped.
type Score struct {
	Exchanges         int   `json:"exchanges"`
	TrueSessions      int   `json:"true_sessions"`
	PredictedSessions int   `json:"predicted_sessions"`
	BCubed            Ratio `json:"b_cubed"`
	Pairwise          Ratio `json:"pairwise"`
	// MixedUsers is how many predicted sessions hold exchanges of two or more users.
	MixedUsers int `json:"mixed_users"`
	// MixedSignedIn is how many of them hold two or more users with an account, leaving out sessions that are known
	// by the fallback alone.
	MixedSignedIn int `json:"mixed_signed_in"`
	// Split is how many true sessions are spread over two or more predicted ones.
	Split int `json:"split"`
}

// Report is the score of everything, and of its parts. A part is scored over its exchanges alone: what a session has
// outside the part does not count.
type Report struct {
	Score
	// Missing is how many exchanges of the truth had no prediction, Unknown how many predictions had no truth.
	Missing   int              `json:"missing"`
	Unknown   int              `json:"unknown"`
	ByService map[string]Score `json:"by_service,omitempty"`
	ByLabel   map[string]Score `json:"by_label"`
	// Mixed names the predicted sessions counted by MixedSignedIn, in order, at most [MaxListed] of them.
	Mixed []MixedSession `json:"mixed,omitempty"`
}

// MixedSession is a predicted session that holds exchanges of several users with an account.
type MixedSession struct {
	Session string   `json:"session"`
	Users   []string `json:"users"`
}

// MaxListed is how many mixed sessions a report names: enough to look into, few enough to read.
const MaxListed = 20

// Evaluate scores in.
func Evaluate(in Input) Report {
	all := newTally()
	services, labels := map[string]*tally{}, map[string]*tally{}
	report := Report{ByLabel: map[string]Score{}}
	known := make(map[string]struct{}, len(in.Truth))
	for i := range in.Truth {
		truth := &in.Truth[i]
		known[truth.ID] = struct{}{}
		predicted, found := in.Prediction[truth.ID]
		if !found {
			report.Missing++
			// No name of a session has a NUL in it, so that this one is its own.
			predicted = Prediction{Session: "\x00" + truth.ID, Fallback: true}
		}
		all.add(truth, predicted)
		part(labels, truth.Label).add(truth, predicted)
		if service, ok := in.Service[truth.ID]; ok {
			part(services, service).add(truth, predicted)
		}
	}
	for id := range in.Prediction {
		if _, ok := known[id]; !ok {
			report.Unknown++
		}
	}
	report.Score, report.Mixed = all.score(), all.mixed()
	for name, t := range labels {
		report.ByLabel[name] = t.score()
	}
	if len(services) > 0 {
		report.ByService = make(map[string]Score, len(services))
		for name, t := range services {
			report.ByService[name] = t.score()
		}
	}
	return report
}

func part(parts map[string]*tally, name string) *tally {
	t := parts[name]
	if t == nil {
		t = newTally()
		parts[name] = t
	}
	return t
}

// tally counts how predicted and true sessions overlap.
type tally struct {
	exchanges int
	truth     map[string]int // exchanges by true session
	predicted map[string]int // exchanges by predicted session
	both      map[overlap]int
	order     []overlap                      // the keys of both as they were first seen: sums are the same each time
	users     map[string]map[string]struct{} // users by predicted session
	accounts  map[string]map[string]struct{} // the same, of users with an account
	carried   map[string]bool                // predicted sessions that more than the fallback speaks for
}

type overlap struct{ predicted, truth string }

func newTally() *tally {
	return &tally{
		truth:     map[string]int{},
		predicted: map[string]int{},
		both:      map[overlap]int{},
		users:     map[string]map[string]struct{}{},
		accounts:  map[string]map[string]struct{}{},
		carried:   map[string]bool{},
	}
}

func (t *tally) add(truth *Truth, p Prediction) {
	t.exchanges++
	t.truth[truth.Session]++
	t.predicted[p.Session]++
	o := overlap{p.Session, truth.Session}
	if t.both[o]++; t.both[o] == 1 {
		t.order = append(t.order, o)
	}
	insert(t.users, p.Session, truth.User)
	if !strings.HasPrefix(truth.User, AnonymousPrefix) {
		insert(t.accounts, p.Session, truth.User)
	}
	if !p.Fallback {
		t.carried[p.Session] = true
	}
}

func insert(sets map[string]map[string]struct{}, key, member string) {
	set := sets[key]
	if set == nil {
		set = map[string]struct{}{}
		sets[key] = set
	}
	set[member] = struct{}{}
}

func (t *tally) score() Score {
	s := Score{
		Exchanges:         t.exchanges,
		TrueSessions:      len(t.truth),
		PredictedSessions: len(t.predicted),
	}
	for session, users := range t.users {
		if len(users) > 1 {
			s.MixedUsers++
		}
		if t.mixesAccounts(session) {
			s.MixedSignedIn++
		}
	}
	var precision, recall, pairs float64
	pieces := make(map[string]int, len(t.truth))
	for _, o := range t.order {
		n := t.both[o]
		precision += float64(n) * float64(n) / float64(t.predicted[o.predicted])
		recall += float64(n) * float64(n) / float64(t.truth[o.truth])
		pairs += pairsOf(n)
		if pieces[o.truth]++; pieces[o.truth] == 2 {
			s.Split++
		}
	}
	s.BCubed = ratio(precision, float64(t.exchanges), recall, float64(t.exchanges))
	s.Pairwise = ratio(pairs, sumOfPairs(t.predicted), pairs, sumOfPairs(t.truth))
	return s
}

func (t *tally) mixed() []MixedSession {
	var list []MixedSession
	for session, users := range t.accounts {
		if !t.mixesAccounts(session) {
			continue
		}
		m := MixedSession{Session: session}
		for user := range users {
			m.Users = append(m.Users, user)
		}
		sort.Strings(m.Users)
		list = append(list, m)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Session < list[j].Session })
	return list[:min(len(list), MaxListed)]
}

func (t *tally) mixesAccounts(session string) bool {
	return t.carried[session] && len(t.accounts[session]) > 1
}

func pairsOf(n int) float64 { return float64(n) * float64(n-1) / 2 }

func sumOfPairs(sizes map[string]int) float64 {
	sum := 0.0
	for _, n := range sizes {
		sum += pairsOf(n)
	}
	return sum
}

// ratio divides. Where there is nothing to divide by, nothing was got wrong.
func ratio(precision, ofPrecision, recall, ofRecall float64) Ratio {
	r := Ratio{Precision: 1, Recall: 1}
	if ofPrecision > 0 {
		r.Precision = precision / ofPrecision
	}
	if ofRecall > 0 {
		r.Recall = recall / ofRecall
	}
	if sum := r.Precision + r.Recall; sum > 0 {
		r.F1 = 2 * r.Precision * r.Recall / sum
	}
	return r
}
