package filter

import "strings"

// Type is the type of a field's values. It decides how they are written and compared.
type Type uint8

// The types of fields.
const (
	TypeText     Type = iota // with wildcards
	TypeEnum                 // one of a few names
	TypeNumber               // 42, 0.5
	TypeBytes                // a size: 512, 10KiB, 1.5MB
	TypeDuration             // 250ms, 1h30m, 7d
	TypeTime                 // RFC 3339, a date, or relative to now
	TypeIP                   // an address or a network
	TypeEndpoint             // method, host and path template
)

var typeNames = [...]string{"text", "enum", "number", "bytes", "duration", "time", "IP", "endpoint"}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

// ordered reports whether values of the type can be compared with < and >.
func (t Type) ordered() bool {
	return t == TypeNumber || t == TypeBytes || t == TypeDuration || t == TypeTime
}

// Field is one thing that can be asked for.
type Field struct {
	Name    string
	Aliases []string
	Type    Type
	// Many says that a row can have several values. A term holds when one of them passes.
	Many bool
	// Fold says that text is compared without regard to case: tests hold lower case, and a row's value is put in
	// lower case first.
	Fold bool
	// Free says that bare words are looked for in the field.
	Free bool
	// Family says that the field stands for many: its name is followed by "." and the name, or a pattern of names,
	// of those that are meant.
	Family bool
	// Groups says that rows can be grouped by the values of the field, and these be counted; by stretches of time where
	// they are times.
	Groups bool
	// Measures says that its values are numbers that can be added up: there are a smallest one and an average.
	Measures bool
	// CountedBy is the field of numbers that says how many different values of this one a row has; empty when none does.
	CountedBy string
	Values    []string // of TypeEnum
	Doc       string   // one sentence
	Example   string   // a filter that uses the field
}

// Fields is the table of the fields of one dataset.
type Fields struct {
	Dataset string // "sessions" or "exchanges"
	list    []Field
}

// All returns the fields in the order in which they are documented. It must not be changed.
func (f *Fields) All() []Field { return f.list }

// Lookup returns the field that is called name, without regard to case, or has it as an alias. Nil when there is none.
func (f *Fields) Lookup(name string) *Field {
	for i := range f.list {
		field := &f.list[i]
		if strings.EqualFold(field.Name, name) {
			return field
		}
		for _, alias := range field.Aliases {
			if strings.EqualFold(alias, name) {
				return field
			}
		}
	}
	return nil
}

// counts returns the field whose different values another field counts. Nil when it counts none.
func (f *Fields) counts(number *Field) *Field {
	for i := range f.list {
		if f.list[i].CountedBy == number.Name {
			return &f.list[i]
		}
	}
	return nil
}

// freeText returns the fields in which bare words are looked for.
func (f *Fields) freeText() []*Field {
	var free []*Field
	for i := range f.list {
		if f.list[i].Free {
			free = append(free, &f.list[i])
		}
	}
	return free
}

// nearest returns the name or alias that is most like name, or "" when none is like it.
func (f *Fields) nearest(name string) string {
	var names []string
	for i := range f.list {
		names = append(names, f.list[i].Name)
		names = append(names, f.list[i].Aliases...)
	}
	return Nearest(name, names)
}

// Nearest returns the candidate that is most like a word, for "did you mean", or "" when none is like it.
func Nearest(word string, candidates []string) string {
	return nearestOf(strings.ToLower(word), candidates)
}

// nearestOf returns the candidate with the fewest edits from name, or "" when all need more than a third of the
// name's length: a suggestion that is not alike is worse than none. Of two that are equally near, the first wins.
func nearestOf(name string, candidates []string) string {
	best, bestDistance := "", max(len(name)/3, 1)+1
	for _, candidate := range candidates {
		if d := editDistance(name, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	if best == "" {
		for _, candidate := range candidates {
			if len(name) >= 3 && strings.HasPrefix(candidate, name) {
				return candidate
			}
		}
	}
	return best
}

// editDistance is the optimal string alignment distance: insertions, deletions, replacements and swaps of
// neighbours. It compares bytes, which is enough for field names.
func editDistance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
