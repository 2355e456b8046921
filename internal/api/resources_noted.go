package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/resource"
)

// noteResource says in the audit log which resource a change is about, and which revision it has before. It is called before
// the change, so that what is refused says so too.
func (s *server) noteResource(ctx context.Context, kind seshat.Kind, name string) {
	n := noted(ctx)
	n.subject = resource.Key(kind, name)
	if now, err := s.Registry.Get(ctx, kind, name); err == nil {
		n.before = uint64(now.Revision)
	}
}

// noteOutcome says in the audit log what a change of one resource did.
func noteOutcome(ctx context.Context, action resource.Action, revision kv.Revision) {
	n := noted(ctx)
	n.after, n.detail = uint64(revision), string(action)
}

// noteOutcomes says in the audit log what a change of several resources did; of those that stay as they were nothing but
// how many they are.
func noteOutcomes(ctx context.Context, outcomes []resource.Outcome) {
	n := noted(ctx)
	if len(outcomes) == 1 {
		n.subject = resource.Key(outcomes[0].Kind, outcomes[0].Name)
		noteOutcome(ctx, outcomes[0].Action, outcomes[0].Revision)
		return
	}
	n.subject = strconv.Itoa(len(outcomes)) + " resources"
	var changed []string
	for _, o := range outcomes {
		if o.Action != resource.ActionUnchanged {
			changed = append(changed, resource.Key(o.Kind, o.Name)+" "+string(o.Action))
		}
	}
	if same := len(outcomes) - len(changed); same > 0 {
		changed = append(changed, strconv.Itoa(same)+" unchanged")
	}
	n.detail = strings.Join(changed, ", ")
}
