package api

import (
	"slices"

	"github.com/seshat-project/seshat/internal/account"
)

// RolePermissions returns what a role may do. Who looks sees what is stored, with its secrets masked; who works on an
// incident ends sessions, tries rules, and takes evidence away; who administers changes what the instance does, and who may
// use it.
func RolePermissions(role account.Role) []Permission {
	viewer := []Permission{SessionsRead, ExchangesRead, ResourcesRead, DenylistRead, StatusRead, ViewsOwn, AccountOwn}
	analyst := append(slices.Clone(viewer), ExchangesReveal, ExchangesExport, DenylistWrite, ImportsWrite, RulesTry, ViewsShare)
	switch role {
	case account.RoleViewer:
		return viewer
	case account.RoleAnalyst:
		return analyst
	case account.RoleAdmin:
		return Permissions()
	default:
		return nil
	}
}

// Scopes returns the permissions that an API token can have: all but those that make credentials, which are for people. A
// token that was stolen must not outlive itself.
func Scopes() []Permission {
	return slices.DeleteFunc(Permissions(), func(p Permission) bool { return p == AccountOwn || p == UsersWrite })
}

// tokenPermissions are those of an API token: its scopes, as far as its user has them now.
func tokenPermissions(role account.Role, scopes []string) []Permission {
	out := []Permission{}
	for _, p := range RolePermissions(role) {
		if slices.Contains(scopes, string(p)) && slices.Contains(Scopes(), p) {
			out = append(out, p)
		}
	}
	return out
}

func names(permissions []Permission) []string {
	out := make([]string, len(permissions))
	for i, p := range permissions {
		out[i] = string(p)
	}
	return out
}
