// Package wire is what the API's requests and responses look like, for the server and for its client. Its types are the
// schemas of the API's description: a change here is a change of the interface.
package wire

// The media types of the API beside JSON.
const (
	// NDJSON is one JSON value a line. Where a list may be long, a client can ask for it with Accept, and gets all of the
	// list in one answer. When something goes wrong on the way, the last line is a [Failure].
	NDJSON      = "application/x-ndjson"
	JSON        = "application/json"
	YAML        = "application/yaml"
	ProblemJSON = "application/problem+json"
	HAR         = "application/json"
	CSV         = "text/csv"
	Parquet     = "application/vnd.apache.parquet"
)

// Header names of the API.
const (
	// AuthorHeader names the person on whose behalf the owner of the data directory makes a change. It counts only with
	// the token of the instance, whose holder could write anything anyway.
	AuthorHeader = "Seshat-Author"
	// RowsHeader says how many rows an exported file has.
	RowsHeader = "Seshat-Rows"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items" nullable:"false"`
	// NextCursor leads to the next page; empty on the last one.
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to get the next page. Absent on the last page."`
}
