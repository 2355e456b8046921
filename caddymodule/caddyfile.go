package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// parseDirective reads the directive seshat:
//
//	seshat [<matcher>] {
//		data              <directory>
//		environment       <name>
//		service           <name>
//		resources         <file>...
//		session_field     <name>
//		user_field        <name>
//		verdict_field     <name>
//		fail_closed
//		nats              <address>
//		nats_credentials  <file>
//		nats_token_file   <file>
//	}
func parseDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	var out Handler
	err := out.UnmarshalCaddyfile(h.Dispenser)
	return &out, err
}

// UnmarshalCaddyfile implements [caddyfile.Unmarshaler].
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive itself
	if d.NextArg() {
		return d.ArgErr()
	}
	texts := map[string]*string{
		"data": &h.Data, "environment": &h.Environment, "service": &h.Service, "session_field": &h.SessionField,
		"user_field": &h.UserField, "verdict_field": &h.VerdictField, "nats": &h.NATS,
		"nats_credentials": &h.NATSCredentials, "nats_token_file": &h.NATSTokenFile,
	}
	for d.NextBlock(0) {
		name := d.Val()
		if to, known := texts[name]; known {
			if *to != "" {
				return d.Errf("%s is there twice", name)
			}
			if !d.AllArgs(to) {
				return d.ArgErr()
			}
			continue
		}
		switch name {
		case "resources":
			files := d.RemainingArgs()
			if len(files) == 0 {
				return d.ArgErr()
			}
			h.Resources = append(h.Resources, files...)
		case "fail_closed":
			if d.NextArg() {
				return d.ArgErr()
			}
			h.FailClosed = true
		default:
			return d.Errf("unknown setting %q (known are data, environment, service, resources, session_field, user_field, "+
				"verdict_field, fail_closed, nats, nats_credentials, nats_token_file)", name)
		}
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Handler)(nil)
