package duckdb

import (
	"context"
	"database/sql"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/store"
)

// identity is what the table identities keeps under one number.
type identity struct {
	device   seshat.Digest
	grouping int
	ids      []seshat.ObservedID
}

// addIdentities sets the client session IDs of rows.
func (s *Store) addIdentities(ctx context.Context, rows []*exchangeRow) error {
	numbers := numbersOf(rows, func(r *exchangeRow) int64 { return r.identity })
	if len(numbers) == 0 {
		return nil
	}
	found := make(map[int64]*identity, len(numbers))
	err := s.query(ctx, func(rows *sql.Rows) error { return scanIdentity(rows, found) }, `
		SELECT identity_no, position, grouping, digest, masked, rule, rule_index, name, origin, kind, side, location, key,
			deleted, expires_at, lifetime, is_token, issuer, subject, token_session, issued_at, lapses_at, device
		FROM identities WHERE identity_no IN (SELECT unnest(string_split(?, ','))::BIGINT)
		ORDER BY identity_no, position`, numberList(numbers))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if i := found[r.identity]; i != nil {
			i.set(&r.Observation)
		}
	}
	return nil
}

func scanIdentity(rows *sql.Rows, found map[int64]*identity) error {
	var number, lifetime int64
	var position, origin, kind, side, location int16
	var index int32
	var grouping bool
	var id seshat.ObservedID
	var device seshat.Digest
	var expires, issued, lapses sql.NullTime
	err := rows.Scan(&number, &position, &grouping, scanUUID(&id.Digest), &id.Masked, scanUUID(&id.Rule), &index,
		&id.Name, &origin, &kind, &side, &location, &id.Key, &id.Deleted, &expires, &lifetime, &id.Token.IsToken,
		&id.Token.Issuer, &id.Token.Subject, scanUUID(&id.Token.SessionID), &issued, &lapses, scanUUID(&device))
	if err != nil {
		return err
	}
	i := found[number]
	if i == nil {
		i = &identity{}
		found[number] = i
	}
	i.device = device
	if position < 0 {
		return nil
	}
	if grouping {
		i.grouping = int(position)
	}
	id.Index = int(index)
	id.Origin, id.Kind = seshat.Origin(origin), seshat.IDKind(kind)       //nolint:gosec // as they were written
	id.Side, id.Where = seshat.Side(side), seshat.Location(location)      //nolint:gosec // as they were written
	id.ExpiresAt, id.Lifetime = expires.Time, time.Duration(lifetime)*1e3 // microseconds
	id.Token.IssuedAt, id.Token.ExpiresAt = issued.Time, lapses.Time
	i.ids = append(i.ids, id)
	return nil
}

// set gives an observation its own copy.
func (i *identity) set(o *seshat.Observation) {
	o.Device, o.Grouping = i.device, i.grouping
	o.IDs = append([]seshat.ObservedID(nil), i.ids...)
	for n := range o.IDs {
		if id := &o.IDs[n]; id.Origin == seshat.OriginFallback && id.Masked == "" {
			id.Masked = store.FallbackMasked(id.Kind, o.ClientIP, o.UserAgent)
		}
	}
}

// observedContext is what the table contexts keeps under one number.
type observedContext struct {
	parameters []seshat.Parameter
	flows      []seshat.FlowMatch
	verdict    seshat.ObservedVerdict
}

// add adds a row of the table.
func (c *observedContext) add(kind int16, name, kindName string, side int16, value string, weak bool) {
	switch kind {
	case contextFlow:
		c.flows = append(c.flows, seshat.FlowMatch{Name: name, Type: seshat.FlowType(kindName)})
	case contextVerdict:
		c.verdict.By, c.verdict.Action = name, actionOf(kindName)
	case contextTag:
		c.verdict.Tags = append(c.verdict.Tags, name)
	default:
		c.parameters = append(c.parameters, seshat.Parameter{
			Name: name, Type: parameterTypeOf(kindName), Side: seshat.Side(side), Value: value, Weak: weak, //nolint:gosec // as it was written
		})
	}
}

// set gives an observation its own copy.
func (c *observedContext) set(o *seshat.Observation) {
	o.Parameters = append([]seshat.Parameter(nil), c.parameters...)
	o.Flows = append([]seshat.FlowMatch(nil), c.flows...)
	o.Verdict = c.verdict
	o.Verdict.Tags = append([]string(nil), c.verdict.Tags...)
}

// actionOf is the action that is stored as name.
func actionOf(name string) seshat.Action {
	for a := seshat.ActionAllow; a <= seshat.ActionBlock; a++ {
		if a.String() == name {
			return a
		}
	}
	return seshat.ActionAllow
}

// addContexts sets the parameters, flows and verdicts of rows.
func (s *Store) addContexts(ctx context.Context, rows []*exchangeRow) error {
	numbers := numbersOf(rows, func(r *exchangeRow) int64 { return r.context })
	if len(numbers) == 0 {
		return nil
	}
	found := make(map[int64]*observedContext, len(numbers))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var number int64
		var kind, side int16
		var name, kindName, value string
		var weak bool
		if err := rows.Scan(&number, &kind, &name, &kindName, &side, &value, &weak); err != nil {
			return err
		}
		c := found[number]
		if c == nil {
			c = &observedContext{}
			found[number] = c
		}
		c.add(kind, name, kindName, side, value, weak)
		return nil
	}, `SELECT context_no, kind, name, type, side, value, weak FROM contexts
		WHERE context_no IN (SELECT unnest(string_split(?, ','))::BIGINT) ORDER BY context_no, kind, position`, numberList(numbers))
	if err != nil {
		return err
	}
	for _, r := range rows {
		if c := found[r.context]; c != nil {
			c.set(&r.Observation)
		}
	}
	return nil
}

func parameterTypeOf(name string) seshat.ParameterType {
	switch name {
	case parameterUser:
		return seshat.ParameterUser
	case parameterRole:
		return seshat.ParameterRole
	default:
		return seshat.ParameterPlain
	}
}
