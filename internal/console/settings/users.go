package settings

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/web"
)

const (
	newUserPath = "/settings/users/new"
	// userPath, with a slash and a name behind it, is the address of a user.
	userPath = "/settings/user"
)

func registerUsers(site *web.Site) {
	site.Handle("GET "+usersPath, explained(users))
	site.Handle("GET "+newUserPath, needs(mayWriteUsers, beginUser))
	site.Handle("POST "+newUserPath, explained(addUser))
	one := userPath + "/{name}"
	site.Handle("GET "+one, explained(user))
	site.Handle("POST "+one, explained(changeUser))
	site.Handle("POST "+one+"/disabled", explained(disableUser))
	site.Handle("POST "+one+"/link", explained(linkUser))
	site.Handle("GET "+one+"/sign-out", needs(mayWriteUsers, askSignOutUser))
	site.Handle("POST "+one+"/sign-out", explained(signOutUser))
	site.Handle("GET "+one+"/delete", needs(mayWriteUsers, askDeleteUser))
	site.Handle("POST "+one+"/delete", explained(deleteUser))
}

func userAt(name string, part ...string) string {
	return strings.Join(append([]string{userPath, url.PathEscape(name)}, part...), "/")
}

// maxUsers is how many users are shown at once: what somebody may read. A search finds the others; there may be 10,000.
const maxUsers = 200

// people are the users as they are listed.
type people struct {
	rows       []wire.User
	all, found int
	search     string
	sessions   map[string]int // by user
	self       string
}

func users(q *web.Request) error {
	v := &people{search: strings.TrimSpace(q.Param("q")), sessions: map[string]int{}, self: q.Viewer.Name}
	var (
		all      []wire.User
		sessions []wire.ConsoleSession
		both     errgroup.Group
	)
	both.Go(func() (err error) {
		all, err = q.API.Users(q.Context())
		return err
	})
	both.Go(func() (err error) {
		sessions, err = q.API.ConsoleSessions(q.Context(), true)
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	for i := range sessions {
		v.sessions[sessions[i].User]++
	}
	v.all = len(all)
	words := strings.Fields(strings.ToLower(v.search))
	for i := range all {
		u := &all[i]
		text := strings.ToLower(u.Name + "\n" + u.DisplayName + "\n" + u.Role + "\n" + u.Issuer)
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			v.rows = append(v.rows, *u)
		}
	}
	v.found = len(v.rows)
	v.rows = v.rows[:min(len(v.rows), maxUsers)]
	p := page("Users", "Who may sign in to the console, and as what.")
	p.Actions = usersActions()
	return q.Page(p, usersPage(tabs(q.Viewer, usersPath), v))
}

// How a user who is added gets in.
const (
	byLink     = "link"
	byPassword = "password"
	byNothing  = "later"
)

// newUser is the form of a user who is to be added.
type newUser struct {
	name, display, role, how string
	problem                  *wire.Problem
}

// field is the control that the problem is about; empty when it is about none.
func (f *newUser) field() string {
	if f.problem == nil {
		return ""
	}
	switch {
	case f.problem.Op == "name of the user", f.problem.Status == http.StatusConflict:
		return "name"
	case f.problem.Op == "display name of the user":
		return "display"
	case f.problem.Op == "role of the user":
		return "role"
	case f.problem.Op == "password":
		return "password"
	}
	// What does not even have the form that the API takes is refused without an operation.
	for _, e := range f.problem.Errors {
		switch e.Location {
		case "body.name":
			return "name"
		case "body.display_name":
			return "display"
		case "body.role":
			return "role"
		case "body.password":
			return "password"
		}
	}
	return ""
}

// hint is what to do about a control that is refused. The API's is for programs too.
func (f *newUser) hint() string {
	switch {
	case f.problem.Status == http.StatusConflict && f.problem.Hint != "":
		return sentence(f.problem.Hint)
	case f.problem.Status == http.StatusConflict:
		return "Choose another name, or change the user who has it."
	}
	switch f.field() {
	case "name":
		return "Write letters and digits, and . _ - + @ between them, as in ann or ann@shop.example."
	case "display":
		return "Write 128 characters at most, or leave it empty."
	case "role":
		return "Choose viewer, analyst or admin."
	default:
		return "Four words that do not belong together will do; or let them choose one by a link."
	}
}

// wrong is what is wrong with a control.
func (f *newUser) wrong(name string) string {
	if f.field() != name {
		return ""
	}
	return f.problem.Detail + " " + f.hint()
}

func beginUser(q *web.Request) error {
	return showNewUser(q, http.StatusOK, &newUser{role: "viewer", how: byLink})
}

func showNewUser(q *web.Request, status int, f *newUser) error {
	return q.PageStatus(status, below("Add a user", "Users", usersPath), newUserPage(f))
}

func addUser(q *web.Request) error {
	f := &newUser{
		name: q.PostFormValue("name"), display: q.PostFormValue("display"), role: q.PostFormValue("role"), how: q.PostFormValue("how"),
	}
	in := &wire.NewUser{Name: f.name, DisplayName: f.display, Role: f.role}
	if f.how == byPassword {
		if in.Password = q.PostFormValue("password"); in.Password == "" {
			f.problem = &wire.Problem{Op: "password", Detail: "It is empty."}
			return showNewUser(q, http.StatusUnprocessableEntity, f)
		}
	}
	u, err := q.API.AddUser(q.Context(), in)
	if err != nil {
		if f.problem, err = refusal(err); err != nil {
			return err
		}
		f.problem.Title = "The user was not added"
		return showNewUser(q, f.problem.Status, f)
	}
	if f.how != byLink {
		return q.Done(userAt(u.Name), u.Name+" is added.")
	}
	link, err := q.API.MakeSignInLink(q.Context(), &wire.NewSignInLink{User: u.Name})
	if err != nil {
		return q.Refused(userAt(u.Name), u.Name+" is added, but no link could be made. Make one here.")
	}
	return showLink(q, u.Name, "User added", link)
}

// showLink shows a one-time link, this once.
func showLink(q *web.Request, name, title string, link *wire.SignInLink) error {
	return q.Page(below(title, "Users", usersPath), linkPage(name, origin(q)+link.Path, link, q.Now))
}

// person is a user as they are shown.
type person struct {
	user     *wire.User
	sessions []wire.ConsoleSession
	tokens   []wire.APIToken
	self     bool
	problem  *wire.Problem
}

func user(q *web.Request) error { return showUser(q, http.StatusOK, nil) }

func showUser(q *web.Request, status int, problem *wire.Problem) error {
	v := &person{problem: problem}
	var (
		sessions []wire.ConsoleSession
		tokens   []wire.APIToken
		all      errgroup.Group
	)
	all.Go(func() (err error) {
		v.user, err = q.API.User(q.Context(), q.PathValue("name"))
		return err
	})
	all.Go(func() (err error) {
		sessions, err = q.API.ConsoleSessions(q.Context(), true)
		return err
	})
	all.Go(func() (err error) {
		tokens, err = q.API.Tokens(q.Context(), true)
		return err
	})
	if err := all.Wait(); err != nil {
		return err
	}
	v.self = v.user.Name == q.Viewer.Name
	v.sessions = slices.DeleteFunc(sessions, func(s wire.ConsoleSession) bool { return s.User != v.user.Name })
	v.tokens = slices.DeleteFunc(tokens, func(t wire.APIToken) bool { return t.User != v.user.Name })
	p := below(v.user.Name, "Users", usersPath)
	p.Subtitle = v.user.DisplayName
	return q.PageStatus(status, p, userPage(v, q.Now))
}

// revision is the one of the user that a form was made of.
func revision(q *web.Request) (uint64, error) {
	r := revisionOf(q)
	if r == 0 {
		return 0, formError("change a user", "the form does not say which revision it was made of")
	}
	return r, nil
}

// changed answers a form that was to change a user: done, why not, or what somebody else did meanwhile.
func changed(q *web.Request, err error, done string) error {
	name := q.PathValue("name")
	if err == nil {
		return q.Done(userAt(name), done)
	}
	p, err := refusal(err)
	switch {
	case err != nil:
		return err
	case p.Status == http.StatusPreconditionFailed && outdated(q):
		return q.Refused(userAt(name), "Not done: "+name+" has changed meanwhile. This is how it is now.")
	}
	p.Title = "Nothing was changed"
	return showUser(q, p.Status, p)
}

// outdated reports whether a form was made of a revision that the user does not have any more. What a user who is still the same
// cannot become, such as the last administrator something else, is a conflict too.
func outdated(q *web.Request) bool {
	u, err := q.API.User(q.Context(), q.PathValue("name"))
	return err != nil || u.Revision != revisionOf(q)
}

func changeUser(q *web.Request) error {
	r, err := revision(q)
	if err != nil {
		return err
	}
	display, role := q.PostFormValue("display"), q.PostFormValue("role")
	_, err = q.API.ChangeUser(q.Context(), q.PathValue("name"), r, &wire.UserChange{DisplayName: &display, Role: &role})
	return changed(q, err, q.PathValue("name")+" is saved.")
}

func disableUser(q *web.Request) error {
	r, err := revision(q)
	if err != nil {
		return err
	}
	disabled := q.PostFormValue("disabled") == "true"
	text := q.PathValue("name") + " may sign in again."
	if disabled {
		text = q.PathValue("name") + " is disabled, and signed out everywhere."
	}
	_, err = q.API.ChangeUser(q.Context(), q.PathValue("name"), r, &wire.UserChange{Disabled: &disabled})
	return changed(q, err, text)
}

func linkUser(q *web.Request) error {
	link, err := q.API.MakeSignInLink(q.Context(), &wire.NewSignInLink{User: q.PathValue("name")})
	if err != nil {
		return changed(q, err, "")
	}
	return showLink(q, link.User, "A link for "+link.User, link)
}

func askSignOutUser(q *web.Request) error {
	name := q.PathValue("name")
	return q.Page(below("Sign "+name+" out", "Users", usersPath), askPage(&question{
		text: "All of the user's sessions of the console end at once. API tokens stay.", action: userAt(name, "sign-out"), button: "End all sessions", back: userAt(name),
	}))
}

func signOutUser(q *web.Request) error {
	name := q.PathValue("name")
	return changed(q, q.API.EndConsoleSessions(q.Context(), name), "All sessions of "+name+" have ended.")
}

func askDeleteUser(q *web.Request) error {
	u, err := q.API.User(q.Context(), q.PathValue("name"))
	if err != nil {
		return err
	}
	return q.Page(below("Delete "+u.Name, "Users", usersPath), askPage(&question{
		text:   "The user, their sessions and their API tokens end at once, and cannot be brought back. What they did stays in the audit log and in the history of what they changed.",
		action: userAt(u.Name, "delete"), button: "Delete the user", back: userAt(u.Name), revision: u.Revision,
	}))
}

func deleteUser(q *web.Request) error {
	r, err := revision(q)
	if err != nil {
		return err
	}
	name := q.PathValue("name")
	if err := q.API.DeleteUser(q.Context(), name, r); err != nil {
		return changed(q, err, "")
	}
	return q.Done(usersPath, name+" is deleted.")
}
