package rule

import "github.com/seshat-project/seshat"

// settingsName is the name of the one Settings resource.
const settingsName = "default"

func checkSettings(at place, name string, s *seshat.SettingsSpec) {
	if name != settingsName {
		at.child("metadata.name").fault("there is one Settings resource", "it is called %q, not %q", name, settingsName)
	}
	at = at.child("spec")
	for field, d := range map[string]*seshat.Duration{
		"retention": s.Retention, "fallbackIdleTimeout": s.FallbackIdleTimeout, "idleTimeout": s.IdleTimeout,
	} {
		if d != nil && *d <= 0 {
			at.child(field).fault("", "a duration must be positive")
		}
	}
	for field, d := range map[string]*seshat.Duration{"graceTime": s.GraceTime, "lateness": s.Lateness} {
		if d != nil && *d < 0 {
			at.child(field).fault("0s switches it off", "a duration cannot be negative")
		}
	}
	if i := s.Inference; i != nil && i.MinimumScore != nil && (*i.MinimumScore < 0 || *i.MinimumScore > 1) {
		at.child("inference.minimumScore").fault("", "%g is not between 0 and 1", *i.MinimumScore)
	}
}
