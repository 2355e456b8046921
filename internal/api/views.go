package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/view"
)

// Views is what the API needs of saved views. A keeper of package view has it.
type Views interface {
	List(ctx context.Context, owner string) ([]view.View, error)
	Get(ctx context.Context, id string) (view.View, error)
	Add(ctx context.Context, v view.View) (view.View, error)
	Replace(ctx context.Context, v view.View, expected kv.Revision) (view.View, error)
	Delete(ctx context.Context, id string, expected kv.Revision) error
}

const tagViews = "Views"

func (s *server) registerViews() {
	const one = "/api/v1/views/{id}"
	op := s.operation("GET", "/api/v1/views", "list-views", tagViews, "List saved views")
	op.Description += " Those of who asks, and those that are shared."
	register(s, op, s.listViews)
	op = s.operation("POST", "/api/v1/views", "add-view", tagViews, "Save a view")
	op.DefaultStatus = http.StatusCreated
	register(s, op, s.addView)
	register(s, s.operation("GET", one, "get-view", tagViews, "Get a saved view"), s.getView)
	op = s.operation("PUT", one, "put-view", tagViews, "Change a saved view")
	op.Description += " One's own; a shared one of somebody else with the permission views:share. With If-Match only when it still has that revision."
	register(s, op, s.putView)
	op = s.operation("DELETE", one, "delete-view", tagViews, "Delete a saved view")
	op.Description += " As of a change."
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.deleteView)
}

type viewList struct {
	Items []wire.SavedView `json:"items" nullable:"false"`
}

type viewOutput struct {
	ETag string `header:"ETag" doc:"The revision."`
	Body wire.SavedView
}

// ViewInput names a view.
type ViewInput struct {
	ID string `path:"id" maxLength:"64"`
}

func newSavedView(v *view.View, owner string) wire.SavedView {
	return wire.SavedView{
		ID: v.ID, Name: v.Name, Page: v.Page, Query: v.Query, Shared: v.Shared, Owner: v.Owner, Own: v.Owner == owner,
		Revision: uint64(v.Revision), Created: v.Created, Changed: v.Changed,
	}
}

func (s *server) listViews(ctx context.Context, _ *struct{}) (*output[viewList], error) {
	if s.Views == nil {
		return nil, unavailable("keep views")
	}
	me := owner(ctx)
	list, err := s.Views.List(ctx, me)
	if err != nil {
		return nil, err
	}
	out := &output[viewList]{viewList{Items: make([]wire.SavedView, len(list))}}
	for i := range list {
		out.Body.Items[i] = newSavedView(&list[i], me)
	}
	return out, nil
}

type addViewInput struct {
	Body wire.ViewContent
}

func (s *server) addView(ctx context.Context, in *addViewInput) (*viewOutput, error) {
	if s.Views == nil {
		return nil, unavailable("keep views")
	}
	if err := mayShare(ctx, in.Body.Shared); err != nil {
		return nil, err
	}
	me := owner(ctx)
	kept, err := s.Views.Add(ctx, view.View{
		Name: in.Body.Name, Page: in.Body.Page, Query: in.Body.Query, Shared: in.Body.Shared, Owner: me,
	})
	if err != nil {
		return nil, err
	}
	return &viewOutput{ETag: etag(kept.Revision), Body: newSavedView(&kept, me)}, nil
}

// seenView is a view that who asks may see: their own, or a shared one. Others are as good as not there.
func (s *server) seenView(ctx context.Context, in *ViewInput) (view.View, string, error) {
	me := owner(ctx)
	if s.Views == nil {
		return view.View{}, me, unavailable("keep views")
	}
	v, err := s.Views.Get(ctx, in.ID)
	if err == nil && v.Owner != me && !v.Shared {
		err = &seshat.Error{Kind: seshat.ErrorNotFound, Op: "get the view " + in.ID, Err: errors.New("there is no such view")}
	}
	return v, me, err
}

func (s *server) getView(ctx context.Context, in *ViewInput) (*viewOutput, error) {
	v, me, err := s.seenView(ctx, in)
	if err != nil {
		return nil, err
	}
	return &viewOutput{ETag: etag(v.Revision), Body: newSavedView(&v, me)}, nil
}

type putViewInput struct {
	ViewInput
	Conditions
	Body wire.ViewContent
}

func (s *server) putView(ctx context.Context, in *putViewInput) (*viewOutput, error) {
	v, me, err := s.seenView(ctx, &in.ViewInput)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	if err := mayShare(ctx, v.Owner != me || in.Body.Shared && !v.Shared); err != nil {
		return nil, err
	}
	v.Name, v.Page, v.Query, v.Shared = in.Body.Name, in.Body.Page, in.Body.Query, in.Body.Shared
	if expected == kv.Any {
		expected = v.Revision
	}
	kept, err := s.Views.Replace(ctx, v, expected)
	if err != nil {
		return nil, in.changed(err)
	}
	return &viewOutput{ETag: etag(kept.Revision), Body: newSavedView(&kept, me)}, nil
}

type deleteViewInput struct {
	ViewInput
	Conditions
}

func (s *server) deleteView(ctx context.Context, in *deleteViewInput) (*struct{}, error) {
	v, me, err := s.seenView(ctx, &in.ViewInput)
	if err != nil {
		return nil, err
	}
	expected, err := in.expected()
	if err != nil {
		return nil, err
	}
	if err := mayShare(ctx, v.Owner != me); err != nil {
		return nil, err
	}
	return nil, in.changed(s.Views.Delete(ctx, v.ID, expected))
}

// owner is whose views those are that somebody keeps: theirs, whoever they may speak for.
func owner(ctx context.Context) string {
	if p := principalOf(ctx); p != nil {
		return p.Name
	}
	return ""
}

// mayShare reports whether who asks may do what concerns others, where it does.
func mayShare(ctx context.Context, concerns bool) error {
	if p := principalOf(ctx); !concerns || p != nil && slices.Contains(p.Permissions, ViewsShare) {
		return nil
	}
	return &wire.Problem{
		Status: http.StatusForbidden, Title: http.StatusText(http.StatusForbidden), Kind: "invalid",
		Detail: "The permission " + string(ViewsShare) + " is missing.", Hint: "keep it for yourself alone",
	}
}
