package identify

// Reason is why an identifier found nothing, in one word. The words are stable.
type Reason string

// The reasons. The empty one says that something was found.
const (
	ReasonNone           Reason = ""
	ReasonAbsent         Reason = "absent"         // there is nothing at its places
	ReasonCondition      Reason = "condition"      // a condition does not hold
	ReasonValue          Reason = "value"          // what is there does not match
	ReasonTransformation Reason = "transformation" // one does not apply
	ReasonLength         Reason = "length"         // what is there is empty or too long
	ReasonOther          Reason = "other"          // it is no ID
)

// Reason is why the identifier found nothing.
func (t *IdentifierTrace) Reason() Reason {
	switch t.Outcome {
	case outcomeFound:
		return ReasonNone
	case outcomeNothing, outcomeDeleted:
		return ReasonAbsent
	case outcomeCondition:
		return ReasonCondition
	case outcomeValue:
		return ReasonValue
	case outcomeUnusable:
		return ReasonTransformation
	case outcomeLength:
		return ReasonLength
	default:
		return ReasonOther
	}
}
