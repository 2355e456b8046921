package account

// Role is what a user may do, in one word. Which permissions it stands for is said by the API.
type Role string

// The roles. Each may do what those before it may.
const (
	RoleViewer  Role = "viewer"  // reads
	RoleAnalyst Role = "analyst" // acts on sessions, tries rules, exports
	RoleAdmin   Role = "admin"   // everything
)

// Roles returns the roles, the least first.
func Roles() []Role { return []Role{RoleViewer, RoleAnalyst, RoleAdmin} }

// Valid reports whether there is such a role.
func (r Role) Valid() bool { return r == RoleViewer || r == RoleAnalyst || r == RoleAdmin }
