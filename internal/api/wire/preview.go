package wire

import (
	"encoding/json"
	"time"

	"github.com/seshat-project/seshat/internal/preview"
)

// PreviewRequest is a draft of resources to try.
type PreviewRequest struct {
	// Resources and YAML are two ways to say the same; both may be used.
	Resources []json.RawMessage `json:"resources,omitempty" maxItems:"100" doc:"Resources to add, or to put in place of those of their names, as JSON. Faults call them resources[0] and so on."`
	YAML      string            `json:"yaml,omitempty" maxLength:"1048576" doc:"Resources as a text, YAML or JSON. Faults call it yaml."`
	Remove    []string          `json:"remove,omitempty" maxItems:"1000" doc:"Resources to leave out, such as SessionRule/shop."`
	Exchanges string            `json:"exchanges,omitempty" doc:"What to try the draft on in place of the recent exchanges: HAR, NDJSON or a log. It is not stored."`
	Format    string            `json:"format,omitempty" maxLength:"64" doc:"Of exchanges, as of an import; found out when it is absent."`
	Limit     int               `json:"limit,omitempty" minimum:"0" maximum:"20000" doc:"How many exchanges at most, the newest; 5000 when it is absent."`
}

// Preview says what a draft would do.
type Preview struct {
	Source PreviewSource `json:"source"`
	preview.Report
}

// Where the exchanges of a preview come from.
const (
	PreviewRecent = "recent" // those that an instance saw last
	PreviewGiven  = "given"  // those in the request
)

// PreviewSource says what a draft is tried on.
type PreviewSource struct {
	From      string    `json:"from" enum:"recent,given"`
	Enabled   bool      `json:"enabled" doc:"Whether recent exchanges are kept."`
	Exchanges int       `json:"exchanges" doc:"How many are kept."`
	Bytes     int64     `json:"bytes" doc:"The memory that they take."`
	Max       int       `json:"max" doc:"How many are kept at most."`
	MaxBytes  int64     `json:"max_bytes"`
	Since     time.Time `json:"since,omitzero" doc:"Time of the oldest of them."`
	Until     time.Time `json:"until,omitzero" doc:"Time of the newest of them."`
	// Share below 1 says that there is more traffic than is kept: then all exchanges of some clients are.
	Share   float64 `json:"share" doc:"Part of the clients whose exchanges are kept, 0 to 1."`
	Whole   bool    `json:"whole" doc:"Of the clients that are kept, every exchange since the oldest is there."`
	Node    string  `json:"node,omitempty" doc:"The process that saw them, where there are several."`
	Nodes   int     `json:"nodes" doc:"How many processes keep recent exchanges. A draft is tried on those of the one that has most."`
	Skipped int     `json:"skipped,omitempty" doc:"Records of what was given that could not be read."`
}

// RuleOrder says in which order session rules are to be tried.
type RuleOrder struct {
	Names     []string          `json:"names" minItems:"1" maxItems:"10000" doc:"All session rules, the first to be tried first."`
	Revisions map[string]uint64 `json:"revisions,omitempty" doc:"The revisions that rules must still have, by name."`
}

// RulesOrdered is the order of session rules after a change.
type RulesOrdered struct {
	Items []OrderedRule `json:"items" nullable:"false"`
}

// OrderedRule is a session rule in its place.
type OrderedRule struct {
	Name     string `json:"name"`
	Priority int    `json:"priority"`
	Revision uint64 `json:"revision"`
	Changed  bool   `json:"changed,omitempty" doc:"Its priority was changed."`
}

// Enabling switches a resource on or off.
type Enabling struct {
	Enabled bool `json:"enabled"`
}

// ResourceDiff is the difference between two revisions of a resource.
type ResourceDiff struct {
	Kind    string        `json:"kind"`
	Name    string        `json:"name"`
	From    DiffSide      `json:"from"`
	To      DiffSide      `json:"to"`
	Unified string        `json:"unified" doc:"Unified diff of the YAML; empty when nothing differs."`
	Changes []FieldChange `json:"changes" nullable:"false" doc:"The fields that differ."`
}

// DiffSide is one of the two revisions.
type DiffSide struct {
	Revision uint64    `json:"revision" doc:"0 stands for what was there before the first revision: nothing."`
	Action   string    `json:"action,omitempty"`
	By       string    `json:"by,omitempty"`
	At       time.Time `json:"at,omitzero"`
}

// FieldChange is a field that differs.
type FieldChange struct {
	Field  string `json:"field" doc:"Such as spec.identifiers[1].cookie."`
	Change string `json:"change" enum:"added,removed,changed"`
	Before string `json:"before,omitempty" doc:"As JSON."`
	After  string `json:"after,omitempty" doc:"As JSON."`
}
