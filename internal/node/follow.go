package node

import (
	"context"
	"fmt"
	"time"

	"github.com/seshat-project/seshat/internal/enforce"
	"github.com/seshat-project/seshat/internal/journal"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/pipeline"
	"github.com/seshat-project/seshat/internal/rule"
)

// openJournal opens the journal of exchanges and the log of what correlation tells everybody.
func (n *Node) openJournal(ctx context.Context) error {
	for _, open := range []struct {
		to      *journal.Log
		options natsjournal.Options
	}{
		{&n.journal, natsjournal.Options{Stream: journalStream, MaxBytes: n.options.JournalBytes, Room: n.options.Room}},
		{&n.notices, natsjournal.Options{Stream: noticesStream, MaxBytes: noticesBytes, MaxAge: noticesAge, DropOldest: true, Room: n.options.Room}},
	} {
		open.options.Replicas = n.options.Replicas
		conn, err := n.connect()
		if err != nil {
			return err
		}
		var log *natsjournal.Log
		err = n.forming(ctx, func(ctx context.Context) (err error) {
			log, err = natsjournal.Open(ctx, conn, open.options)
			return err
		})
		if err != nil {
			return fmt.Errorf("open the journal: %w", err)
		}
		n.onClose(log.Close)
		*open.to = log
	}
	return nil
}

// hold is for how long an exchange that goes on keeps those that started after it waiting. Longer ones, downloads and
// streams of events, are put in as they come: everybody would else see sessions only when the slowest request has ended.
const hold = time.Second

// startPublishing lets exchanges into the journal.
func (n *Node) startPublishing(ctx context.Context) error {
	number, err := n.number()
	if err != nil {
		return err
	}
	config := n.options.Publisher
	config.Source = journal.NewSource(number, randomNumber())
	if config.Hold == 0 {
		config.Hold = hold
	}
	config.Now = n.options.Now
	n.Publisher = pipeline.NewPublisher(n.journal, config)
	publishing, stop := context.WithCancel(ctx)
	n.stopPublishing = stop
	go func() {
		defer close(n.published)
		n.Publisher.Run(publishing)
	}()
	return nil
}

func (n *Node) newRecorder(rules *rule.Ruleset) *pipeline.Recorder {
	return pipeline.NewRecorder(n.journal, n.options.Store, pipeline.RecorderConfig{
		Correlation: pipeline.Correlation(rules, n.digester), Settings: rules.Settings(),
		Notices: n.notices, AppendNotices: enforce.AppendNotices, Events: n.options.Events,
		Committed: n.options.Committed, Logger: n.logger, Now: n.options.Now,
	})
}

func (n *Node) inlineConfig() pipeline.InlineConfig {
	config := n.options.Inline
	config.Recent = n.Recent
	config.Digester, config.Enforcer, config.Publisher, config.Now = n.digester, n.Enforcer, n.Publisher, n.options.Now
	return config
}

// followDenylist puts every change of the denylist in force until ctx ends. The first is in force when it returns.
func (n *Node) followDenylist(ctx context.Context) error {
	snapshots, err := n.Denylist.Watch(ctx)
	if err != nil {
		return err
	}
	first, open := <-snapshots
	if !open {
		return context.Cause(ctx)
	}
	n.deny(&first)
	if n.Recorder == nil {
		n.running.Go(func() {
			for s := range snapshots {
				n.deny(&s)
			}
		})
		return nil
	}
	n.running.Go(func() { n.followRevocations(&first, snapshots) })
	n.running.Go(func() { n.readmitForgotten(ctx) })
	return nil
}

// followNotices learns what correlation says until ctx ends. When it returns, what was said before is learnt.
func (n *Node) followNotices(ctx context.Context) error {
	last, err := n.notices.Last(ctx)
	if err != nil {
		return err
	}
	caughtUp := make(chan struct{})
	if last == 0 {
		close(caughtUp)
	}
	n.running.Go(func() {
		err := n.notices.Read(ctx, 0, func(sequence journal.Sequence, data []byte) error {
			if err := n.Enforcer.Learn(data); err != nil {
				n.logger.Warn("a notice on sessions cannot be read", "sequence", sequence, "error", err)
			}
			if last != 0 && sequence >= last {
				last = 0
				close(caughtUp)
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			n.logger.Error("notices on sessions do not come any more", "error", err)
		}
	})
	timer := time.NewTimer(learnFirst)
	defer timer.Stop()
	select {
	case <-caughtUp:
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

// shareLimits tells the other nodes what was counted here, and counts what they tell.
func (n *Node) shareLimits(ctx context.Context) error {
	conn, err := n.connect()
	if err != nil {
		return err
	}
	bus := natsjournal.NewBus(conn, sharesSubject)
	n.onClose(bus.Close)
	stop, err := bus.Subscribe(func(data []byte) {
		if err := n.Enforcer.Merge(data, n.options.Now()); err != nil {
			n.logger.Warn("counts of another node cannot be read", "error", err)
		}
	})
	if err != nil {
		return err
	}
	n.running.Go(func() {
		defer stop()
		ticker := time.NewTicker(shareEvery)
		defer ticker.Stop()
		var share []byte
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if share = n.Enforcer.AppendShare(share[:0], n.options.Now()); len(share) > 0 {
				_ = bus.Publish(share) // lossy: the bound on over-admission takes it into account
			}
		}
	})
	return nil
}
