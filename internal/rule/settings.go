package rule

import (
	"time"

	"github.com/seshat-project/seshat"
)

// settingsName is the name of the one Settings resource.
const settingsName = "default"

func checkSettings(at place, name string, s *seshat.SettingsSpec) {
	if name != settingsName {
		at.child("metadata.name").fault("there is one Settings resource", "it is called %q, not %q", name, settingsName)
	}
	at = at.child("spec")
	duration := func(field string, d *seshat.Duration, least seshat.Duration) {
		if d != nil && *d < least {
			at.child(field).fault("", "a duration must be at least %s", time.Duration(least))
		}
	}
	duration("retention", s.Retention, seshat.Duration(time.Second))
	duration("fallbackIdleTimeout", s.FallbackIdleTimeout, seshat.Duration(time.Second))
	duration("idleTimeout", s.IdleTimeout, seshat.Duration(time.Second))
	duration("graceTime", s.GraceTime, 0)
	duration("lateness", s.Lateness, 0)
	if i := s.Inference; i != nil && i.MinimumScore != nil && !(*i.MinimumScore >= 0 && *i.MinimumScore <= 1) {
		at.child("inference.minimumScore").fault("", "%g is not between 0 and 1", *i.MinimumScore)
	}
}
