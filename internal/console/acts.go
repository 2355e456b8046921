package console

// acts are the pages that ask before something is done or begin what is saved later, and the permissions that doing it takes.
// Who has none of them has no use for the page.
func acts() map[string][]string {
	const (
		resources = "resources:write"
		try       = "rules:try"
		denylist  = "denylist:write"
		users     = "users:write"
		own       = "account:own"
	)
	return map[string][]string{
		"GET /context/flow/{name}/delete":      {resources},
		"GET /context/flows/new":               {resources},
		"GET /context/mask/{name}/delete":      {resources},
		"GET /context/masks/new":               {resources},
		"GET /context/parameter/{name}/delete": {resources},
		"GET /context/parameters/new":          {resources},
		"GET /limits/jwt/new":                  {resources},
		"GET /limits/limit/{name}/delete":      {resources},
		"GET /limits/new":                      {resources},
		"GET /limits/validation/{name}/delete": {resources},
		"GET /rules/new":                       {resources, try},
		"GET /rules/{name}/delete":             {resources},
		"GET /rules/{name}/edit":               {resources, try},
		"GET /settings/general/{name}/delete":  {resources},

		"GET /limits/denied/{name}/remove": {denylist},
		"GET /limits/denylist/new":         {denylist},
		"GET /sessions/{id}/revoke":        {denylist},

		"GET /settings/token/{id}/revoke":    {own},
		"GET /settings/tokens/new":           {own},
		"GET /settings/user/{name}/delete":   {users},
		"GET /settings/user/{name}/sign-out": {users},
		"GET /settings/users/new":            {users},
	}
}
