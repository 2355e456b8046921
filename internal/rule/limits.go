package rule

// Limits of a ruleset. They bound what one exchange can cost and what a mistaken generator of rules can do to a
// gateway; a resource beyond them is refused with a fault that names the limit.
const (
	// MaxResources is how many resources of one kind may be in force. The scope index keeps the cost of those out of
	// scope away from exchanges, but each compiled rule holds a few kilobytes.
	MaxResources = 10_000
	// MaxIdentifiers is how many identifiers a session rule may have: all of them are tried on every exchange in scope.
	MaxIdentifiers = 64
	// MaxConditions is how many conditions an identifier, parameter or flow may have.
	MaxConditions = 32
	// MaxTransformations is how long a chain of transformations may be. Real ones have two or three links.
	MaxTransformations = 16
	// MaxScopeEntries is how many environments, services or URLs a scope may list.
	MaxScopeEntries = 256
	// MaxEndpoints is how many endpoint patterns a flow, limit or validation may list.
	MaxEndpoints = 256
	// MaxPattern is how many bytes a regular expression, JSONPath or endpoint pattern may have. RE2 runs in linear
	// time, but its program, and so each step, grows with the expression.
	MaxPattern = 2048
	// MaxText is how many bytes any other text of a match may have.
	MaxText = 4096
	// MaxInValues is how many texts an "in" operator may list.
	MaxInValues = 1000
	// MaxSegment is the highest position of a path segment, from either end.
	MaxSegment = 255
	// DefaultPriority is the priority of a session rule that sets none.
	DefaultPriority = 100
)
