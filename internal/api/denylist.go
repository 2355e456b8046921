package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api/wire"
)

func (s *server) registerDenylist() {
	register(s, s.operation("GET", "/api/v1/denylist", "list-denials", tagDenylist, "List what is refused"), s.listDenials)

	op := s.operation("PUT", "/api/v1/denylist/{name}", "put-denial", tagDenylist, "Put an entry on the denylist")
	op.Description += " Under a name that you choose, in place of one of that name. It holds in every gateway within a second."
	register(s, op, s.putDenial)

	op = s.operation("DELETE", "/api/v1/denylist/{name}", "delete-denial", tagDenylist, "Take an entry off the denylist")
	op.DefaultStatus = http.StatusNoContent
	register(s, op, s.deleteDenial)

	op = s.operation("POST", "/api/v1/revocations", "revoke", tagDenylist, "Revoke sessions, client session IDs, a user, or what was issued before a time")
	op.Description += " The entries hold in every gateway within a second, and cover client session IDs that a session gains later."
	register(s, op, s.revoke)
}

type denials struct {
	Items []seshat.Denial `json:"items" nullable:"false"`
}

func (s *server) listDenials(ctx context.Context, _ *struct{}) (*output[denials], error) {
	list, err := s.denials(ctx)
	if err != nil {
		return nil, err
	}
	return &output[denials]{denials{Items: list}}, nil
}

// denials are the entries in force, the newest first.
func (s *server) denials(ctx context.Context) ([]seshat.Denial, error) {
	if s.Denylist == nil {
		return nil, unavailable("read the denylist")
	}
	list, err := s.Denylist.List(ctx)
	if err != nil {
		if len(list) == 0 {
			return nil, err
		}
		s.Logger.WarnContext(ctx, "the denylist cannot be read whole", "error", err)
	}
	now := s.Now()
	list = slices.DeleteFunc(slices.Clone(list), func(d seshat.Denial) bool { return d.Expired(now) })
	slices.SortFunc(list, func(a, b seshat.Denial) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Name, b.Name)) })
	if list == nil {
		list = []seshat.Denial{}
	}
	return list, nil
}

type putDenialInput struct {
	Authored
	Name string `path:"name" pattern:"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" doc:"A lower-case DNS label."`
	Body wire.Revocation
}

func (s *server) putDenial(ctx context.Context, in *putDenialInput) (*output[seshat.Denial], error) {
	if s.Denylist == nil {
		return nil, unavailable("change the denylist")
	}
	list, err := s.requested(ctx, &in.Body, in.Author)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, usage("put "+in.Name, "an entry is about one thing", "one session, client session ID, user or time")
	}
	list[0].Name = in.Name
	kept, err := s.Denylist.Add(ctx, list[0])
	if err != nil {
		return nil, err
	}
	return &output[seshat.Denial]{kept}, nil
}

type deleteDenialInput struct {
	Authored
	Name string `path:"name" maxLength:"128"`
}

func (s *server) deleteDenial(ctx context.Context, in *deleteDenialInput) (*struct{}, error) {
	if s.Denylist == nil {
		return nil, unavailable("change the denylist")
	}
	return nil, s.Denylist.Remove(ctx, in.Name, author(ctx, in.Author))
}

type revokeInput struct {
	Authored
	Body wire.Revocation
}

func (s *server) revoke(ctx context.Context, in *revokeInput) (*output[wire.Revoked], error) {
	if s.Denylist == nil {
		return nil, unavailable("revoke")
	}
	list, err := s.requested(ctx, &in.Body, in.Author)
	if err != nil {
		return nil, err
	}
	out := &output[wire.Revoked]{wire.Revoked{Denials: make([]seshat.Denial, 0, len(list))}}
	for _, d := range list {
		kept, err := s.Denylist.Add(ctx, d)
		if err != nil {
			return nil, err
		}
		out.Body.Denials = append(out.Body.Denials, kept)
	}
	return out, nil
}

// requested are the entries that a revocation makes.
func (s *server) requested(ctx context.Context, r *wire.Revocation, by string) ([]seshat.Denial, error) {
	request, err := r.Request(func(secret string) (seshat.Digest, error) {
		if s.Digester == nil {
			return seshat.Digest{}, unavailable("revoke a client session ID")
		}
		return s.Digester.Hash([]byte(secret)), nil
	})
	if err != nil {
		return nil, err
	}
	request.By = author(ctx, by)
	for i, id := range request.Sessions {
		// The session that it belongs to now. One that is not stored is refused all the same: it may be about to be.
		if one, err := s.Store.Session(ctx, id); err == nil {
			request.Sessions[i] = one.ID
		} else if kind := seshat.KindOfError(err); kind != seshat.ErrorNotFound && kind != seshat.ErrorUnsupported {
			return nil, err
		}
	}
	return request.Denials(s.Now())
}
