package main

import (
	"fmt"
	"strings"
)

// device is what a client looks like from outside.
type device struct {
	agent    string
	ja4      string
	language string
	browser  bool   // sends what browsers send
	version  int    // of the browser
	id       string // of the installation, sent by apps; noise as to sessions
}

// network is an address that several clients share.
type network struct {
	ip     string
	device device
}

// browserKind is a family of browsers. The agent's %d is the version.
type browserKind struct {
	agent, ja4 string
	version    int
}

func browserKinds() []browserKind {
	return []browserKind{
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", "t13d1516h2_8daaf6152771_d8a2da3f94cd", 141},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36", "t13d1516h2_8daaf6152771_d8a2da3f94cd", 141},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:%[1]d.0) Gecko/20100101 Firefox/%[1]d.0", "t13d1717h2_5b57614c22b0_3cbfd9057e0d", 143},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%[1]d.0) Gecko/20100101 Firefox/%[1]d.0", "t13d1717h2_5b57614c22b0_3cbfd9057e0d", 143},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.1 Safari/605.1.15", "t13d2014h2_a09f3c656075_14788d8d241b", 18},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%d.6 Mobile/15E148 Safari/604.1", "t13d2014h2_a09f3c656075_14788d8d241b", 18},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Mobile Safari/537.36", "t13d1516h2_8daaf6152771_e5627efa2ab1", 140},
	}
}

// device draws a browser.
func (g *generator) device() device {
	g.devices++
	kind := pick(g, browserKinds()...)
	version := kind.version - g.rng.IntN(3)
	return device{
		agent:    fmt.Sprintf(kind.agent, version),
		ja4:      kind.ja4,
		language: pick(g, "en-US,en;q=0.9", "en-GB,en;q=0.8", "fr-FR,fr;q=0.9,en;q=0.7", "pl-PL,pl;q=0.9", "pt-BR,pt;q=0.9,en;q=0.6"),
		browser:  true,
		version:  version,
		id:       g.hex(8),
	}
}

// phone draws an installation of a mobile app.
func (g *generator) phone(app string) device {
	g.devices++
	version := g.between(30, 34)
	return device{
		agent:    fmt.Sprintf(pick(g, app+"/5.%d (Android 15; Pixel 8) okhttp/4.12.0", app+"/5.%d CFNetwork/1568.300 Darwin/24.6.0"), version),
		ja4:      pick(g, "t13d1411h2_e7c285222651_1f22a2ca17c4", "t13d2014h2_a09f3c656075_14788d8d241b"),
		language: pick(g, "en-US", "de-DE", "es-ES"),
		version:  version,
		id:       g.hex(8),
	}
}

// updated is d after an update to the next version.
func (d device) updated() device {
	next := d
	next.version++
	next.agent = strings.ReplaceAll(d.agent, fmt.Sprint(d.version)+".", fmt.Sprint(next.version)+".")
	return next
}

// publicIP draws an address from blocks that are set aside for tests and documentation, or from carriers' networks.
func (g *generator) publicIP() string {
	switch g.rng.IntN(5) {
	case 0:
		return fmt.Sprintf("2001:db8:%x:%x::%x", g.rng.IntN(1<<16), g.rng.IntN(1<<16), g.between(1, 1<<16-1))
	case 1:
		return fmt.Sprintf("100.%d.%d.%d", g.between(64, 127), g.rng.IntN(256), g.between(1, 254))
	default:
		return fmt.Sprintf("198.%d.%d.%d", g.between(18, 19), g.rng.IntN(256), g.between(1, 254))
	}
}

// person is somebody with an account.
type person struct {
	id    string // as the service knows them
	login string // as they sign in; also their name in the truth
}

func (g *generator) person() person {
	g.people++
	first := pick(g, "ana", "ben", "chidi", "dora", "emre", "fatima", "goran", "hana", "ines", "jonas", "kaori", "lars", "mila", "nuno", "olga", "priya")
	last := pick(g, "abe", "brandt", "costa", "diaz", "eriksen", "fischer", "gallo", "haddad", "ito", "jensen", "kaya", "lopez")
	return person{id: fmt.Sprint(40000 + g.people*7), login: fmt.Sprintf("%s.%s%d", first, last, g.people)}
}

func (p person) email() string { return p.login + "@mail.example" }
