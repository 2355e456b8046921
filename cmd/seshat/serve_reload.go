package main

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/seshat-project/seshat/internal/config"
)

// reload puts a configuration in force that was read again, as far as that can change while connections are served, and
// says what waits for the next start. A bad one changes nothing.
func (s *service) reload(ctx context.Context, load func() (*config.Config, error)) {
	for _, certificates := range s.certificates {
		if _, err := certificates.Reload(); err != nil {
			s.app.complain("certificates: " + err.Error() + " (those before stay)")
		}
	}
	if s.events != nil {
		s.events.Reopen()
	}
	c, err := load()
	if err == nil {
		err = s.replace(ctx, c)
	}
	if err != nil {
		s.app.printError(err)
		s.app.complain("the configuration before stays in force")
		return
	}
	s.node.Recent.Use(recentBounds(c))
	s.app.note("The configuration was read again and is in force.")
	if waiting := waiting(s.config, c); len(waiting) > 0 {
		s.app.complain("warning: what changed in " + strings.Join(waiting, ", ") + " comes into force at the next start")
	}
}

// reloadTime is what a reload may take: signals that come meanwhile wait for it.
const reloadTime = 30 * time.Second

// replace builds what the configuration needs first, and puts it in force when nothing can fail any more.
func (s *service) replace(ctx context.Context, c *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	if s.gateway == nil {
		if err := s.applyResources(ctx, c); err != nil {
			return err
		}
		s.current = c
		return nil
	}
	next, err := s.newRouting(c)
	if err != nil {
		return err
	}
	var serving *loops
	if !sameLoops(s.current, c) {
		if serving, err = s.newLoops(c); err != nil {
			next.close()
			return err
		}
	}
	if err := s.applyResources(ctx, c); err != nil {
		next.close()
		if serving != nil {
			serving.close()
		}
		return err
	}
	s.gateway.route(next)
	if serving != nil {
		s.gateway.use(serving)
	}
	s.current = c
	return nil
}

// waiting are the keys that differ from what the instance was started with and that only a start puts in force.
func waiting(started, c *config.Config) (keys []string) {
	reloaded := map[string]bool{
		"trustedProxies": true, "trustedField": true, "forwardedFields": true, "via": true, "timeouts": true, "routes": true,
		"upstreams": true, "resources": true, "shutdownGrace": true, "input": true, "recent": true,
		// Of routes. Other ways in have them from the start.
		"environment": !otherWaysIn(started), "service": !otherWaysIn(started),
	}
	before, now := reflect.ValueOf(*started), reflect.ValueOf(*c)
	for i := range before.NumField() {
		name, _, _ := strings.Cut(before.Type().Field(i).Tag.Get("json"), ",")
		if !reloaded[name] && !reflect.DeepEqual(before.Field(i).Interface(), now.Field(i).Interface()) {
			keys = append(keys, name)
		}
	}
	for _, bound := range []struct {
		key         string
		before, now int
	}{
		{"input.maxConnections", started.Input.MaxConnections, c.Input.MaxConnections},
		{"input.maxConnectionsPerIP", started.Input.MaxConnectionsPerIP, c.Input.MaxConnectionsPerIP},
	} {
		if bound.before != bound.now {
			keys = append(keys, bound.key)
		}
	}
	return keys
}

func otherWaysIn(c *config.Config) bool {
	return c.ExtProc != nil || c.ForwardAuth != nil || len(c.Logs) > 0
}

// grace is what requests under way have at the end.
func (s *service) grace() time.Duration { return time.Duration(*s.current.ShutdownGrace) }
