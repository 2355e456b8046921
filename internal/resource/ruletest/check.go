package ruletest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
)

// checker compares the identity of one exchange with what a test expects.
type checker struct {
	runner   *runner
	test     string // the path of the test
	id       *seshat.Identity
	failures []Failure
}

func (c *checker) fail(field, want, got string) {
	line, column := c.runner.document.Place(c.test + "." + field)
	c.failures = append(c.failures, Failure{
		File: c.runner.file, Line: line, Column: column, Field: field, Want: want, Got: got,
	})
}

func (c *checker) want(e *expectation) {
	if p := e.SessionIDFrom; p != nil {
		if found := &c.id.IDs[c.id.Grouping]; !p.matches(found) {
			c.fail("want.session_id_from", p.String(), describe(found))
		}
	}
	for i := range e.IDs {
		if !slices.ContainsFunc(c.id.IDs, func(found seshat.FoundID) bool { return e.IDs[i].matches(&found) }) {
			c.fail(fmt.Sprintf("want.ids[%d]", i), e.IDs[i].String(), c.allIDs())
		}
	}
	users, roles := c.parameters(seshat.ParameterUser), c.parameters(seshat.ParameterRole)
	if e.User != "" && (len(users) == 0 || users[0] != e.User) {
		c.fail("want.user", e.User, list(users))
	}
	for i, role := range e.Roles {
		if !slices.Contains(roles, role) {
			c.fail(fmt.Sprintf("want.roles[%d]", i), role, list(roles))
		}
	}
	for i, flow := range e.Flows {
		if !slices.Contains(c.flows(), flow) {
			c.fail(fmt.Sprintf("want.flows[%d]", i), flow, list(c.flows()))
		}
	}
}

func (c *checker) forbid(e *expectation) {
	if p := e.SessionIDFrom; p != nil {
		if found := &c.id.IDs[c.id.Grouping]; p.matches(found) {
			c.fail("forbid.session_id_from", "not "+p.String(), describe(found))
		}
	}
	for i := range e.IDs {
		for j := range c.id.IDs {
			if e.IDs[i].matches(&c.id.IDs[j]) {
				c.fail(fmt.Sprintf("forbid.ids[%d]", i), "not "+e.IDs[i].String(), describe(&c.id.IDs[j]))
			}
		}
	}
	users, roles := c.parameters(seshat.ParameterUser), c.parameters(seshat.ParameterRole)
	if e.User != "" && slices.Contains(users, e.User) {
		c.fail("forbid.user", "not "+e.User, list(users))
	}
	for i, role := range e.Roles {
		if slices.Contains(roles, role) {
			c.fail(fmt.Sprintf("forbid.roles[%d]", i), "not "+role, list(roles))
		}
	}
	for i, flow := range e.Flows {
		if slices.Contains(c.flows(), flow) {
			c.fail(fmt.Sprintf("forbid.flows[%d]", i), "not "+flow, list(c.flows()))
		}
	}
}

func (c *checker) parameters(t seshat.ParameterType) []string {
	var out []string
	for i := range c.id.Parameters {
		if c.id.Parameters[i].Type == t {
			out = append(out, c.id.Parameters[i].Value)
		}
	}
	return out
}

// flows are the names and the types of the flows, either of which a test may use.
func (c *checker) flows() []string {
	var out []string
	for _, f := range c.id.Flows {
		out = append(out, f.Name)
		if string(f.Type) != f.Name {
			out = append(out, string(f.Type))
		}
	}
	return out
}

func (c *checker) allIDs() string {
	out := make([]string, len(c.id.IDs))
	for i := range c.id.IDs {
		out[i] = describe(&c.id.IDs[i])
	}
	return list(out)
}

func (p *idPattern) matches(id *seshat.FoundID) bool {
	return (p.Rule == "" || p.Rule == id.Name) && (p.Index == nil || *p.Index == id.Index) &&
		(p.Value == nil || *p.Value == string(id.Value)) && (p.Side == "" || p.Side == id.Side.String())
}

func (p *idPattern) String() string {
	var parts []string
	if p.Rule != "" {
		parts = append(parts, p.Rule)
	}
	if p.Index != nil {
		parts = append(parts, "identifier "+strconv.Itoa(*p.Index))
	}
	if p.Side != "" {
		parts = append(parts, "in the "+p.Side)
	}
	if p.Value != nil {
		parts = append(parts, "value "+strconv.Quote(*p.Value))
	}
	if len(parts) == 0 {
		return "any ID"
	}
	return strings.Join(parts, ", ")
}

// describe is an ID as idPattern would be written. The values in tests are not secrets: they are in the file.
func describe(id *seshat.FoundID) string {
	value, index, side := string(id.Value), id.Index, id.Side.String()
	p := idPattern{Rule: id.Name, Value: &value, Side: side}
	if id.Origin == seshat.OriginRule {
		p.Index = &index
	}
	return p.String()
}

func list(texts []string) string {
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, "; ")
}
