package seshat_test

import (
	"testing"

	"github.com/seshat-project/seshat"
)

func TestRuleIDFor(t *testing.T) {
	// What another implementation of UUIDv5 makes of the same name space and name.
	f := func(name, want string) {
		t.Helper()
		if got := seshat.RuleIDFor(name).String(); got != want {
			t.Errorf("RuleIDFor(%q) = %s, want %s", name, got, want)
		}
	}
	f("shop-web", "05597ef6-194a-5839-bb66-1f3b46e4157f")
	f("", "6056ed14-12e7-5e33-87af-bc997fae3553")
}

func TestUUIDText(t *testing.T) {
	id := seshat.SessionID(seshat.RuleIDFor("x"))
	back, err := seshat.ParseSessionID(id.String())
	if err != nil || back != id {
		t.Errorf("ParseSessionID(%s) = %s, %v", id, back, err)
	}
	for _, bad := range []string{"", "x", id.String()[1:], id.String() + "0", "zz" + id.String()[2:]} {
		if _, err := seshat.ParseSessionID(bad); err == nil {
			t.Errorf("ParseSessionID(%q) gave no error", bad)
		}
	}
}

func TestAttributeName(t *testing.T) {
	f := func(index int, want string) {
		t.Helper()
		if got := seshat.AttributeName(seshat.RuleID{}, index); got != want {
			t.Errorf("AttributeName(0, %d) = %s, want %s", index, got, want)
		}
	}
	f(0, "seshat.session.00000000-0000-0000-0000-000000000000.0.id")
	f(12, "seshat.session.00000000-0000-0000-0000-000000000000.12.id")
	f(100, "seshat.session.00000000-0000-0000-0000-000000000000.100.id")
}

func TestFaultText(t *testing.T) {
	f := func(fault seshat.Fault, want string) {
		t.Helper()
		if got := fault.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(seshat.Fault{File: "a.yaml", Line: 3, Column: 5, Field: "spec.x", Message: "is wrong", Hint: "write y"}, "a.yaml:3:5: spec.x: is wrong (write y)")
	f(seshat.Fault{Message: "is wrong"}, "is wrong")
	if kind := seshat.KindOfError(seshat.Faults{{Message: "x"}}); kind != seshat.ErrorInvalid {
		t.Errorf("faults are of kind %d, want ErrorInvalid", kind)
	}
}
