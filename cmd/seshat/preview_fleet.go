package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/api"
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/natsjournal"
	"github.com/seshat-project/seshat/internal/resource"
)

// Recent exchanges hold secrets and stay in the process that saw them. In a fleet the draft goes to the process that has
// most of them, and what it comes to, in which everything is masked, comes back.

const (
	previewSubject = "seshat.preview"
	// sourceWait is how long other processes may take to say how much they have. They answer at once, or are not there.
	sourceWait = 250 * time.Millisecond
	// tryWait is what trying a draft may take elsewhere.
	tryWait = 10 * time.Second
	// mostPeers is how many processes are asked at most.
	mostPeers = 256
)

// previewPeers are the processes of a fleet that keep recent exchanges.
type previewPeers struct {
	app  *app
	here string // names this process
	bus  *natsjournal.Bus
	try  func(ctx context.Context, d *api.Draft) (*wire.Preview, error)
	has  func() wire.PreviewSource
	busy sync.Mutex // drafts of others are tried one by one
}

// previewQuestion is a question to the other processes: how much they have, or, when Node names one, what it makes of a
// draft.
type previewQuestion struct {
	Node       string            `json:"node,omitempty"`
	Resources  []json.RawMessage `json:"resources,omitempty"`
	Remove     []string          `json:"remove,omitempty"`
	Limit      int               `json:"limit,omitempty"`
	ShowValues bool              `json:"show_values,omitempty"`
}

// previewAnswer is what a process answers.
type previewAnswer struct {
	Node    string             `json:"node"`
	Name    string             `json:"name"`
	Source  wire.PreviewSource `json:"source"`
	Preview *wire.Preview      `json:"preview,omitempty"`
	Problem *wire.Problem      `json:"problem,omitempty"`
}

// startPreviews answers the questions of other processes, where there can be some.
func (s *service) startPreviews(context.Context) error {
	n := s.node
	s.previews = &previewPeers{
		app: s.app, here: rand.Text(),
		try: func(ctx context.Context, d *api.Draft) (*wire.Preview, error) { return s.app.preview(ctx, n, d) },
		has: func() wire.PreviewSource { return previewSource(n) },
	}
	bus, err := n.Peers(previewSubject)
	if err != nil || bus == nil {
		return err
	}
	s.previews.bus = bus
	stop, err := bus.Answer(s.previews.answer)
	if err != nil {
		return err
	}
	s.onStop(func(context.Context) error { stop(); return nil })
	return nil
}

// hostName is what people know this process by.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("%s:%d", name, os.Getpid())
}

// answer answers another process; nil for a question that is not for this one, or that cannot be read.
func (p *previewPeers) answer(question []byte) []byte {
	var q previewQuestion
	if err := json.Unmarshal(question, &q); err != nil {
		return nil
	}
	out := previewAnswer{Node: p.here, Name: hostName()}
	switch q.Node {
	case "":
		if out.Source = p.has(); !out.Source.Enabled {
			return nil
		}
	case p.here:
		p.busy.Lock()
		defer p.busy.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), tryWait)
		defer cancel()
		var err error
		if out.Preview, err = p.asked(ctx, &q); err != nil {
			out.Problem = wire.NewProblem(err)
		}
	default:
		return nil
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return text
}

func (p *previewPeers) asked(ctx context.Context, q *previewQuestion) (*wire.Preview, error) {
	d := &api.Draft{Remove: q.Remove, Limit: q.Limit, ShowValues: q.ShowValues}
	for i, text := range q.Resources {
		parsed, faults := resource.Parse(fmt.Sprintf("resources[%d]", i), text)
		if len(faults) > 0 {
			return nil, faults
		}
		d.Add = append(d.Add, parsed...)
	}
	return p.try(ctx, d)
}

// richest is the process that has most recent exchanges, and how many keep some; the zero answer stands for this one.
func (p *previewPeers) richest(ctx context.Context) (best previewAnswer, nodes int, err error) {
	own := p.has()
	if nodes = 1; !own.Enabled {
		nodes = 0
	}
	if p.bus == nil {
		return best, nodes, nil
	}
	question, err := json.Marshal(previewQuestion{})
	if err != nil {
		return best, nodes, err
	}
	answers, err := p.bus.Ask(ctx, question, mostPeers, sourceWait)
	if err != nil {
		if ctx.Err() != nil {
			return best, nodes, ctx.Err()
		}
		return best, nodes, nil // NATS is not reached: what is here is here
	}
	most := own.Exchanges
	for _, text := range answers {
		var a previewAnswer
		if json.Unmarshal(text, &a) != nil || a.Node == "" {
			continue
		}
		if nodes++; a.Source.Exchanges > most {
			best, most = a, a.Source.Exchanges
		}
	}
	return best, nodes, nil
}

// source says what a draft would be tried on.
func (p *previewPeers) source(ctx context.Context) (wire.PreviewSource, error) {
	best, nodes, err := p.richest(ctx)
	if err != nil {
		return wire.PreviewSource{}, err
	}
	out := p.has()
	if best.Node != "" {
		out = best.Source
		out.Node = best.Name
	}
	out.Nodes = nodes
	return out, nil
}

// preview tries a draft where most recent exchanges are.
func (p *previewPeers) preview(ctx context.Context, d *api.Draft) (*wire.Preview, error) {
	var best previewAnswer
	nodes := 1
	if len(d.Exchanges) == 0 {
		var err error
		if best, nodes, err = p.richest(ctx); err != nil {
			return nil, err
		}
	}
	if best.Node == "" {
		out, err := p.try(ctx, d)
		if err == nil && out.Source.From == wire.PreviewRecent {
			out.Source.Nodes = nodes
		}
		return out, err
	}
	question := previewQuestion{Node: best.Node, Remove: d.Remove, Limit: d.Limit, ShowValues: d.ShowValues}
	for i := range d.Add {
		text, err := resource.Marshal([]seshat.Resource{d.Add[i].Resource}, resource.FormatJSON)
		if err != nil {
			return nil, err
		}
		question.Resources = append(question.Resources, text)
	}
	text, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	answers, err := p.bus.Ask(ctx, text, 1, tryWait)
	if err != nil {
		return nil, err
	}
	var a previewAnswer
	if len(answers) == 0 || json.Unmarshal(answers[0], &a) != nil || a.Preview == nil && a.Problem == nil {
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "try the draft", Err: errors.New("the process that has the recent exchanges does not answer: " + best.Name),
			Hint: "try again",
		}
	}
	if a.Problem != nil {
		return nil, p.located(a.Problem.Err(), d)
	}
	a.Preview.Source.Node, a.Preview.Source.Nodes = best.Name, nodes
	return a.Preview, nil
}

// located moves faults from the resources as they were sent on to where the draft has them.
func (p *previewPeers) located(err error, d *api.Draft) error {
	var faults seshat.Faults
	if errors.As(err, &faults) {
		return locateFaults(faults, d.Add)
	}
	return err
}
