package wire

import (
	"encoding/json"
	"time"
)

// Stored is a revision of a resource.
type Stored struct {
	Kind     string    `json:"kind"`
	Name     string    `json:"name"`
	Revision uint64    `json:"revision"`
	Action   string    `json:"action" enum:"created,updated,deleted,rolled back"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	// Resource is the resource itself, in the form that can be applied.
	Resource json.RawMessage `json:"resource,omitempty" doc:"The resource, as it can be applied; absent of a deletion."`
}

// Outcome is what a change did to one resource.
type Outcome struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Action   string `json:"action" enum:"created,updated,unchanged,deleted,rolled back"`
	Revision uint64 `json:"revision" doc:"The one that is stored now; on a dry run, the one that is stored still."`
}

// Outcomes are what a change did.
type Outcomes struct {
	Items  []Outcome `json:"items" nullable:"false"`
	DryRun bool      `json:"dry_run,omitempty"`
}

// Rollback says which revision to bring back.
type Rollback struct {
	Revision uint64 `json:"revision" minimum:"1"`
}
