package main

import (
	"testing"

	"github.com/seshat-project/seshat"
)

// TestCompleteSession checks that what is written is rounded, and that the session stays as it was.
func TestCompleteSession(t *testing.T) {
	s := &seshat.Session{Confidence: 0.9499999999999998, Flows: []seshat.FlowShare{{Name: "login", Share: 0.30000000000000004}}}
	kept := s.Flows[0].Share
	out := completeSession(s)
	if out.Confidence != 0.95 || out.Flows[0].Share != 0.3 || out.Flows[0].Name != "login" {
		t.Errorf("confidence %v, flows %v", out.Confidence, out.Flows)
	}
	if s.Confidence != 0.9499999999999998 || s.Flows[0].Share != kept {
		t.Errorf("the session itself was rounded: %v, %v", s.Confidence, s.Flows)
	}
	if got := sessionRecord(s)[6]; got != "0.95" {
		t.Errorf("confidence in CSV is %s; want 0.95", got)
	}
	if out.Roles == nil || completeSession(&seshat.Session{}).Flows == nil {
		t.Error("a list is null")
	}
}
