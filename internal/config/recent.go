package config

// Recent is what is kept in memory of the last exchanges, for drafts of rules to be tried on.
type Recent struct {
	// Exchanges is how many are kept; 0 keeps none. 5,000 when it is not set.
	Exchanges *int `json:"exchanges,omitempty"`
	// MaxBytes is what they may take in memory.
	MaxBytes *Size `json:"maxBytes,omitempty"`
	// PerSecond is how many of a second are taken at most. Of more, those of some clients are.
	PerSecond int `json:"perSecond,omitempty"`
}

const (
	// defaultRecent is enough to see what a rule finds, and is tried in half a second.
	defaultRecent      = 5_000
	defaultRecentBytes = 32 << 20
	// defaultRecentRate costs 0.2 ms of each second.
	defaultRecentRate = 200
	// mostRecent is how many a draft can be tried on while somebody waits.
	mostRecent = 20_000
)

func (r *Recent) fill() {
	if r.Exchanges == nil {
		n := defaultRecent
		r.Exchanges = &n
	}
	size(&r.MaxBytes, defaultRecentBytes)
	number(&r.PerSecond, defaultRecentRate)
}

func (r *Recent) validate(f *faultList) {
	if *r.Exchanges < 0 || *r.Exchanges > mostRecent {
		f.add("recent.exchanges", "not from 0 to 20000", "0 keeps none")
	}
	if *r.Exchanges > 0 && *r.MaxBytes < 1<<20 {
		f.add("recent.maxBytes", "less than 1MiB", "recent: {exchanges: 0} keeps none")
	}
	if r.PerSecond < 0 {
		f.add("recent.perSecond", "below 0", "leave it out for 200")
	}
}
