package wire

// ImportEvent is one line of the answer to an import. One member besides Event is set.
type ImportEvent struct {
	Event string `json:"event" enum:"progress,bad,failed,auto-identifier,dropped,summary"`

	// Of progress.
	Phase string `json:"phase,omitempty" enum:"read,store"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty" doc:"0 when it is not known."`

	// Of bad (a record that cannot be read) and failed (an input that cannot be read on).
	Input   string   `json:"input,omitempty"`
	Line    int64    `json:"line,omitempty"`
	Message string   `json:"message,omitempty"`
	Problem *Problem `json:"problem,omitempty"`

	// Of auto-identifier: a session rule was added for a host.
	Host string `json:"host,omitempty"`
	Rule string `json:"rule,omitempty"`

	Summary *ImportSummary `json:"summary,omitempty"`
}

// The events of an import.
const (
	ImportProgress       = "progress"
	ImportBad            = "bad"
	ImportFailed         = "failed"
	ImportAutoIdentifier = "auto-identifier"
	ImportDropped        = "dropped"
	ImportDone           = "summary"
)

// ImportSummary is what an import did.
type ImportSummary struct {
	Read            int64    `json:"read" doc:"Exchanges that could be read."`
	Stored          int64    `json:"stored"`
	Bad             int64    `json:"bad" doc:"Records that could not be read."`
	Skipped         int64    `json:"skipped" doc:"Records that are no HTTP exchange."`
	Duplicates      int64    `json:"duplicates" doc:"Exchanges that were stored before, or twice in the input."`
	Sessions        int64    `json:"sessions" doc:"New ones."`
	Seconds         float64  `json:"seconds"`
	AutoIdentifiers []string `json:"auto_identifiers,omitempty"`
}

// ImportOptions say how inputs are read. They are the first part of a multipart body, called "options".
type ImportOptions struct {
	Format      string `json:"format,omitempty" enum:"har,ndjson,accesslog" doc:"By the content when it is absent."`
	LogFormat   string `json:"log_format,omitempty"`
	Environment string `json:"environment,omitempty" maxLength:"256"`
	Service     string `json:"service,omitempty" maxLength:"256"`
	// Inputs are the names of the files, in the order of the parts that follow.
	Inputs []string `json:"inputs" minItems:"1" maxItems:"10000" doc:"The names of the files, in the order of the parts that follow, which are called file."`
}

// RuleTests are tests of rules, and the rules that they are about.
type RuleTests struct {
	Run   string            `json:"run" doc:"The file with the tests."`
	Files map[string]string `json:"files" doc:"The text of every file, by its name: the tests, and the rules that they name."`
}

// RuleTestReport is what came of tests of rules.
type RuleTestReport struct {
	OK   bool   `json:"ok"`
	Text string `json:"text" doc:"As seshat test prints it."`
}
