package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// actor makes the traffic of one client, or of one person's clients.
type actor interface{ use(g *generator) }

// part is an actor with the share of clients that it has.
type part struct {
	weight int
	actor  actor
}

// shape is a named mix of actors at a pace.
type shape struct {
	name, doc string
	pace      func() pace
	parts     func(g *generator) []part
}

// slow is the pace of people: hours of traffic, pauses of seconds.
func slow() pace {
	return pace{start: firstTime(), spread: 5 * time.Hour, think: 12 * time.Second, tokenLife: 90 * time.Second}
}

// fast is the pace of a recording in which time is compressed.
func fast() pace {
	return pace{start: firstTime(), spread: 70 * time.Second, think: 350 * time.Millisecond, tokenLife: 2 * time.Second}
}

func lateAndFast() pace {
	p := fast()
	p.late = true
	return p
}

// firstTime is when the traffic of every shape begins. It is fixed, so that a seed always gives the same bytes.
func firstTime() time.Time { return time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC) }

func shapes() []shape {
	return []shape{
		{"web", "sites with session cookies of many frameworks, at the pace of people", slow, webParts},
		{"mobile", "mobile apps with opaque and JWT tokens, refreshed in every way", slow, mobileParts},
		{"oidc", "single-page and backend-for-frontend applications behind an identity provider", slow, oidcParts},
		{"api", "programs with keys, GraphQL clients, visitors without anything", slow, apiParts},
		{"storm", "many refreshes at once, compressed time, lines out of order", lateAndFast, stormParts},
		{"mixed", "all of it, compressed, with lines out of order", lateAndFast, mixedParts},
	}
}

func shapeNames() string {
	names := []string{shopName}
	for _, s := range shapes() {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func webParts(g *generator) []part {
	styles := cookieStyles()
	g.rng.Shuffle(len(styles), func(i, j int) { styles[i], styles[j] = styles[j], styles[i] })
	var parts []part
	for i, style := range styles[:4] {
		site := g.webApp(fmt.Sprintf("%s%d", pick(g, "books", "tickets", "garden", "tools"), i+1), style)
		parts = append(parts, part{10, site})
		if i == 0 {
			parts = append(parts, part{1, &stuffer{site}}, part{1, &walker{site}}, part{2, &visitor{site.service, site.host}})
		}
	}
	return parts
}

func mobileParts(g *generator) []part {
	return []part{
		{6, &tokenApp{service: "courier", host: "api.courier.example", mobile: "Courier", style: opaqueToken, header: "Authorization", refresh: refreshJSON, rotates: true}},
		{6, &tokenApp{service: "banking", host: "mobile.banking.example", mobile: "Pocket", style: tokenWithJTI, header: "X-Auth-Token", byHeader: true, refresh: refreshForm, rotates: g.chance(0.5)}},
		{6, &tokenApp{service: "fitness", host: "api.fitness.example", mobile: "Stride", style: tokenWithUser, header: "Authorization", refresh: refreshJSON}},
		{4, &tokenApp{service: "travel", host: "gw.travel.example", mobile: "Roamer", style: tokenWithSID, header: "X-Access-Token", refresh: refreshForm, rotates: true}},
		{1, &enumerator{&tokenApp{service: "courier", host: "api.courier.example", style: opaqueToken, header: "Authorization", refresh: refreshJSON, rotates: true}}},
	}
}

func oidcParts(g *generator) []part {
	return []part{
		{6, g.oidcApp("insure", false)},
		{6, g.oidcApp("clinic", true)},
		{4, &tokenApp{service: "market", host: "api.market.example", style: tokenWithSID, header: "Authorization", refresh: refreshCookie, rotates: true}},
	}
}

func apiParts(*generator) []part {
	graph := &tokenApp{service: "graph", host: "graph.example", style: tokenWithJTI, header: "Authorization", refresh: refreshCookie, rotates: true, graphQL: true}
	return []part{
		{3, &keyApp{service: "partner", host: "partner.example", header: "X-Api-Key"}},
		{2, &keyApp{service: "feeds", host: "feeds.example", header: "Authorization"}},
		{1, &keyApp{service: "legacy", host: "legacy.example"}},
		{5, graph},
		{2, &visitor{"news", "news.example"}},
		{1, &enumerator{graph}},
	}
}

func stormParts(*generator) []part {
	var parts []part
	for i, refresh := range []refreshBy{refreshCookie, refreshJSON, refreshForm} {
		parts = append(parts, part{1, &tokenApp{
			service: fmt.Sprintf("storm%d", i+1), host: fmt.Sprintf("api.storm%d.example", i+1), header: "Authorization",
			style: []tokenStyle{opaqueToken, tokenWithSID, tokenWithJTI}[i], refresh: refresh, rotates: true, stormy: true,
		}})
	}
	return parts
}

func mixedParts(g *generator) []part {
	var parts []part
	for _, some := range []func(*generator) []part{webParts, mobileParts, oidcParts, apiParts, stormParts} {
		parts = append(parts, some(g)...)
	}
	return parts
}

// run makes the traffic of at least so many sessions.
func (s *shape) run(g *generator, sessions int) {
	parts := s.parts(g)
	total := 0
	for _, p := range parts {
		total += p.weight
	}
	for g.sessions < sessions {
		n := g.rng.IntN(total)
		for _, p := range parts {
			if n -= p.weight; n < 0 {
				p.actor.use(g)
				break
			}
		}
	}
}
