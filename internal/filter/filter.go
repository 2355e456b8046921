// Package filter is Seshat's filter language: one parser, one printer, one meaning for the command line, the API
// and the console. See docs/filter.md.
//
// [Parse] turns text into an [Expr]. A store translates the expression to its own query language, by parameters;
// [Match] evaluates it in memory and is what every translation is tested against.
package filter

import (
	"net/netip"
	"time"

	"github.com/seshat-project/seshat/internal/endpoint"
)

// Limits of a filter. They bound what one filter can cost to parse, to translate and to evaluate.
const (
	// MaxLength is how many bytes a filter may have. Generated filters (a list of session IDs) fit; a pasted file
	// does not.
	MaxLength = 8 << 10
	// MaxDepth is how deep groups and negations may nest. The parser recurses, and so does every translation.
	MaxDepth = 32
	// MaxTests is how many values a filter may compare with in all. Each becomes one predicate of a query.
	MaxTests = 256
)

// Expr is a parsed filter: an [And], [Or], [Not], [Term] or [Text]. It is immutable.
//
// An expression has two values, true and false. In a translation to a language with a third one (SQL's NULL), a
// term over an absent value must be false, so that its negation is true.
type Expr interface {
	// String prints the expression so that parsing it again gives an equal one.
	String() string
	isExpr()
}

// And holds when all its expressions hold. It has at least two, and none of them is an And.
type And struct{ Exprs []Expr }

// Or holds when one of its expressions holds. It has at least two, and none of them is an Or.
type Or struct{ Exprs []Expr }

// Not holds when its expression does not. Its expression is never a Not.
type Not struct{ Expr Expr }

// Term holds when one of the row's values of Field passes one of Tests. A row without a value passes none.
type Term struct {
	Field *Field
	// Attribute selects attributes by name when Field is the attribute family ([Field.Family]); nil otherwise.
	// Names are compared with regard to case.
	Attribute Pattern
	Tests     []Test // at least one
}

// Text is a bare word: it holds when one of the values of one of Fields matches Pattern, in lower case on both
// sides. Pattern begins and ends with a wildcard, so the word may be anywhere within the value.
type Text struct {
	Fields  []*Field
	Pattern Pattern
}

func (*And) isExpr()  {}
func (*Or) isExpr()   {}
func (*Not) isExpr()  {}
func (*Term) isExpr() {}
func (*Text) isExpr() {}

// Op is how a test compares.
type Op uint8

// The operators. Which of them a term can have depends on the type of its field:
//
//	OpExists            every type
//	OpEqual             every type but TypeEndpoint; for TypeIP it means "within the network"
//	OpMatch             TypeText (Value.Pattern) and TypeEndpoint (Value.Endpoint)
//	OpLess … OpRange    TypeNumber, TypeBytes, TypeDuration, TypeTime
const (
	OpExists       Op = iota // there is a value
	OpEqual                  // equal to Value
	OpMatch                  // matches the wildcards of Value
	OpLess                   // < Value
	OpLessEqual              // <= Value
	OpGreater                // > Value
	OpGreaterEqual           // >= Value
	OpRange                  // from Value to High, both included
)

// Test is one comparison with a value.
type Test struct {
	Op    Op
	Value Value // unused by OpExists
	High  Value // of OpRange
}

// Value is a value of a row, or one that a test compares with. Which of its fields counts follows from the
// [Type] of the field it belongs to.
type Value struct {
	// Text is the value of TypeText and TypeEnum, and of TypeEndpoint in a row ("GET api.shop.example/orders/{var1}").
	// In a test of a field that folds case it is in lower case; a row's value is put in lower case for comparing.
	Text     string
	Number   float64           // of TypeNumber and TypeBytes
	Duration time.Duration     // of TypeDuration
	Time     time.Time         // of TypeTime, in UTC
	IP       netip.Prefix      // of TypeIP, with the bits beyond its length zero; a row's value is as long as its address
	Pattern  Pattern           // of OpMatch on TypeText
	Endpoint *endpoint.Pattern // of OpMatch on TypeEndpoint
}
