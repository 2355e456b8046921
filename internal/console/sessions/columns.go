package sessions

import (
	"slices"
	"strings"
)

// column is a column of the table that somebody may choose.
type column struct {
	id, name string
	sort     string // what the API orders by; empty where it cannot
	number   bool
}

func columns() []column {
	return []column{
		{id: "state", name: "State"},
		{id: "who", name: "Who", sort: "user"},
		{id: "last", name: "Last seen", sort: "last_seen"},
		{id: "first", name: "First seen", sort: "first_seen"},
		{id: "exchanges", name: "Exchanges", sort: "exchanges", number: true},
		{id: "errors", name: "Errors", sort: "errors", number: true},
		{id: "refused", name: "Refused", number: true},
		{id: "length", name: "Length", number: true, sort: "duration"},
		{id: "identified", name: "Identified by"},
		{id: "confidence", name: "Confidence", sort: "confidence", number: true},
		{id: "from", name: "From"},
		{id: "addresses", name: "Addresses", sort: "addresses", number: true},
		{id: "agent", name: "User agent"},
		{id: "agents", name: "User agents", sort: "user_agents", number: true},
		{id: "services", name: "Services"},
		{id: "flows", name: "Flows"},
		{id: "ended", name: "Ended by"},
		{id: "ids", name: "Client session IDs"},
		{id: "session", name: "Session ID"},
	}
}

// defaultColumns are shown when nobody has chosen.
const defaultColumns = "state,who,last,exchanges,errors,length,identified,from,session"

// chosen are the columns of a list of their IDs, in the order of the table. Who is always there: it leads to the session.
func chosen(list string) []column {
	if list == "" {
		list = defaultColumns
	}
	ids := strings.Split(list, ",")
	return slices.DeleteFunc(columns(), func(c column) bool { return c.id != "who" && !slices.Contains(ids, c.id) })
}

func has(cols []column, id string) bool {
	return slices.ContainsFunc(cols, func(c column) bool { return c.id == id })
}
