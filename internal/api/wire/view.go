package wire

import "time"

// SavedView is a view of the console that somebody has saved.
type SavedView struct {
	ID       string    `json:"id" doc:"Identifies it. It does not change."`
	Name     string    `json:"name"`
	Page     string    `json:"page" enum:"sessions,explorer"`
	Query    string    `json:"query" doc:"The query string of the page: filter, time, columns, order."`
	Shared   bool      `json:"shared" doc:"Everybody sees it."`
	Owner    string    `json:"owner"`
	Own      bool      `json:"own" doc:"It belongs to who asks."`
	Revision uint64    `json:"revision"`
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"`
}

// ViewContent is what somebody says of a view.
type ViewContent struct {
	Name   string `json:"name" minLength:"1" maxLength:"100"`
	Page   string `json:"page" enum:"sessions,explorer"`
	Query  string `json:"query" maxLength:"8192" doc:"The query string of the page, without the question mark."`
	Shared bool   `json:"shared,omitempty" doc:"Let everybody see it; needs the permission views:share."`
}
