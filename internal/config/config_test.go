package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	c, faults := Parse("seshat.yaml", []byte(`
listeners:
  - address: ":8443"
    tls: {certificates: [{certificate: cert.pem, key: key.pem}], minVersion: "1.3"}
  - address: ":8080"
    proxyProtocol: {trusted: [10.0.0.0/8]}
trustedProxies: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
environment: prod
routes:
  - {hosts: [api.shop.example, "*.shop.example"], paths: [/orders], service: orders, upstream: orders}
  - {upstream: shop}
upstreams:
  - {name: shop, servers: ["http://127.0.0.1:3000"]}
  - name: orders
    servers: ["http://10.0.0.1:80", "https://10.0.0.2"]
    healthCheck: {path: /healthz, interval: 2s}
    retries: 0
input: {maxHeaderBytes: 32KiB}
journal: {failClosed: true, maxBytes: 1GiB}
`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if got := time.Duration(*c.Upstreams[1].HealthCheck.Timeout); got != defaultCheckWait {
		t.Errorf("the time of a health check is %v; the default is %v", got, defaultCheckWait)
	}
	if *c.Upstreams[1].Retries != 0 || *c.Upstreams[0].Retries != 1 {
		t.Error("0 retries is not the default of 1")
	}
	if *c.Input.MaxHeaderBytes != 32<<10 || *c.Journal.MaxBytes != 1<<30 {
		t.Error("sizes are read wrongly")
	}
	if got := Prefixes(c.TrustedProxies)[2].String(); got != "192.0.2.7/32" {
		t.Errorf("one address is the range %s", got)
	}
	if c.API.Address != DefaultAPI || c.Role != RoleAll {
		t.Error("defaults are missing")
	}
}

// TestReplicas keeps what is written where the loss of one server can be outlived.
func TestReplicas(t *testing.T) {
	f := func(routes string, want int) {
		t.Helper()
		c, faults := Parse("seshat.yaml", []byte("upstreams: [{name: a, servers: [\"http://x\"]}]\n"+
			"cluster: {name: c, node: n1, listen: \"10.0.0.1:6222\", routes: ["+routes+"], tokenFile: t}\n"))
		if len(faults) > 0 {
			t.Error(faults)
		} else if c.Cluster.Replicas != want {
			t.Errorf("with the routes %s there are %d replicas; want %d", routes, c.Cluster.Replicas, want)
		}
	}
	f(`"10.0.0.2:6222", "10.0.0.3:6222"`, 3)
	f(`"10.0.0.1:6222", "10.0.0.2:6222", "10.0.0.3:6222"`, 3)
	f(`"10.0.0.1:6222", "10.0.0.2:6222"`, 1)
	f(`"10.0.0.2:6222"`, 1)
}

func TestListenIsShort(t *testing.T) {
	c, faults := Parse("seshat.yaml", []byte("listen: 127.0.0.1:80\nupstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n"))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if len(c.Listeners) != 1 || c.Listeners[0].Address != "127.0.0.1:80" || len(c.Routes) != 1 || c.Routes[0].Upstream != "a" {
		t.Errorf("listeners %+v, routes %+v", c.Listeners, c.Routes)
	}
}

func TestFaultsSayWhere(t *testing.T) {
	const upstreams = "upstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n"
	f := func(input, want string) {
		t.Helper()
		_, faults := Parse("seshat.yaml", []byte(input))
		if len(faults) == 0 {
			t.Errorf("%q is accepted; want %s", input, want)
		} else if got := faults.Error(); !strings.Contains(got, want) {
			t.Errorf("%q:\n got %s\nwant %s", input, got, want)
		}
	}
	f("lissten: \":80\"\n"+upstreams, `seshat.yaml:1:1: lissten: unknown field (did you mean listen?)`)
	f("listen: \"8080\"\n"+upstreams, `listeners[0].address: "8080" is no address (write it as in ":8080"`)
	f("listen: \":80\"\nlisteners: [{address: \":80\"}]\n"+upstreams, `:80 is the address of listeners[0].address too`)
	f("listen: \":8080\"\n", `routes: there is no route`)
	f("routes: [{upstream: b}]\n"+upstreams, `seshat.yaml:1:21: routes[0].upstream: there is no upstream called "b"`)
	f("routes: [{upstream: a, paths: [x]}]\n"+upstreams, `routes[0].paths[0]: "x" is no path`)
	f("routes: [{upstream: a, hosts: [\"a*\"]}]\n"+upstreams, `routes[0].hosts[0]: "a*" is no host`)
	f("routes: [{upstream: a}, {upstream: a}]\n"+upstreams, `routes[1]: matches exactly what routes[0] does`)
	f("upstreams: [{name: a, servers: []}]\n", `upstreams[0].servers: the list is empty`)
	f("upstreams: [{name: a, servers: [\"ftp://x\"]}]\n", `"ftp://x" is no URL of a server`)
	f("upstreams: [{name: a, servers: [\"http://x:65536\"]}]\n", `"http://x:65536" is no URL of a server`)
	f("upstreams: [{name: a, servers: [\"http://x:0\"]}]\n", `"http://x:0" is no URL of a server`)
	f("upstreams: [{name: a, servers: [\"http://u:secret@x\"]}]\n", `"…@x" is no URL of a server`)
	f("upstreams: [{name: a, servers: [\"http://x/y\"]}]\n", `a server has no path`)
	f("trustedProxies: [10.0.0.1/8]\n"+upstreams, `trustedProxies[0]: not a range of addresses`)
	f("input: {maxHeaderBytes: 1 GB}\n"+upstreams, `input.maxHeaderBytes: not a size`)
	f("input: {maxHeaderBytes: 9000000TiB}\n"+upstreams, `not a size`)
	f("timeouts: {header: 0s}\n"+upstreams, `timeouts.header: 0s is out of range`)
	f("role: gateway\n"+upstreams, `role: a gateway that does not record needs a journal`)
	f("nats: {url: \"http://x\"}\n"+upstreams, `nats.url: is no address of NATS servers`)
	f("listeners: [{address: \":1\", tls: {certificates: []}}]\n"+upstreams, `tls.certificates: the list is empty`)
	f("forwardAuth: {address: \":1\", observe: log}\n"+upstreams, `there is no access log to observe`)
	f("sessionFields: {session: \"X Y\"}\n"+upstreams, `"X Y" is no name of a header field`)
	f("tracing: {endpoint: \"http://x\", sampleRatio: 2}\n"+upstreams, `tracing.sampleRatio: is not a share`)
	f("tracing: {endpoint: \"http://token@x\"}\n"+upstreams, `"…@x" is no URL`)
	f("events: {file: \"\"}\n"+upstreams, `events.file: is empty`)
	f("events: {file: e}\nrole: gateway\nnats: {url: \"nats://a\"}\n"+upstreams, `events: a gateway that does not record`)
	f("sessionFields: {session: X-A, user: x-a}\n"+upstreams, `sessionFields.user: "x-a" is the name in sessionFields.session too`)
	f("sessionFields: {user: Authorization}\n"+upstreams, `"Authorization" has a meaning of its own`)
	f("extProc: {address: \":1\", ja4Header: Cookie}\n"+upstreams, `"Cookie" has a meaning of its own`)
	f("logs: [{path: a}, {path: a}]\n"+upstreams, `logs[1].path: is the file of logs[0] too`)
	f("role: recorder\nlisten: \":1\"\nnats: {url: \"nats://a\"}\n"+upstreams, `a recorder serves no traffic`)
	f("nats: {url: \"nats://user:secret@a\"}\n"+upstreams, `nats.url: has a secret`)
	f("nats: {url: \"nats://a,http://b\"}\n"+upstreams, `nats.url: is no address of NATS servers`)
	f("nats: {url: \"nats://a\", replicas: 2}\n"+upstreams, `nats.replicas: is out of range (1, 3 or 5)`)
	f("nats: {url: \"nats://a\", tokenFile: a, credentialsFile: b}\n"+upstreams, `both credentialsFile and tokenFile`)
	f("nats: {url: \"nats://a\"}\nnatsListen: {address: \":1\", tokenFile: a}\n"+upstreams, `a cluster of one's own is configured`)
	f("natsListen: {address: \":1\", tokenFile: \"\"}\n"+upstreams, `natsListen.tokenFile: is empty`)
	f("natsListen: {address: \":9180\", tokenFile: a}\napi: {address: \":9180\"}\n"+upstreams, `:9180 is the address of`)
	f("cluster: {name: a b, node: n, listen: \":1\", routes: [\"x:1\"], tokenFile: t}\n"+upstreams, `cluster.name: "a b" is no name`)
	f("cluster: {name: a, node: n, listen: \":1\", routes: [x], tokenFile: t, replicas: 1}\n"+upstreams, `cluster.routes[0]: "x" is no address`)
	f("journal: {syncInterval: 2d}\n"+upstreams, `journal.syncInterval: 2d is out of range`)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("listen: \":80\"\nupstreams: [{name: a, servers: [\"http://127.0.0.1:3000\"]}]\n"))
	f.Add([]byte("cluster: {name: a, node: b, listen: \":1\", routes: [], tokenFile: t}\ntracing: {endpoint: x}\n"))
	f.Add([]byte("upstreams: [{name: a, servers: [\"http://%zz\"], healthCheck: {path: \"\"}}]\nlogs: [{path: \"\"}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, faults := Parse("seshat.yaml", data)
		if (c == nil) == (len(faults) == 0) {
			t.Fatalf("configuration %v with faults %v", c, faults)
		}
		if c != nil && len(c.validate()) > 0 {
			t.Fatal("what was accepted is not valid")
		}
	})
}

// TestDocumentation reads the examples of the documentation, and checks that every key is mentioned.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	text, examples := string(data), 0
	for rest := text; ; examples++ {
		_, after, found := strings.Cut(rest, "```yaml\n")
		if !found {
			break
		}
		var example string
		example, rest, _ = strings.Cut(after, "```")
		if _, faults := Parse("example.yaml", []byte(example)); len(faults) > 0 {
			t.Errorf("an example is wrong: %v", faults)
		}
	}
	if examples == 0 {
		t.Error("there is no example")
	}
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[Prefix]() {
			return
		}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(text, name) {
				t.Errorf("the key %s of %s is not documented", name, of.Name())
			}
			walk(of.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[Config]())
}

// TestNoFaultShowsASecret puts what may be a password where addresses belong.
func TestNoFaultShowsASecret(t *testing.T) {
	for _, input := range []string{
		"upstreams: [{name: a, servers: [\"http://user:hunter2@x\"]}]\n",
		"nats: {url: \"nats://user:hunter2@a\"}\n", "nats: {url: \"nats://hunter2@%zz\"}\n",
		"tracing: {endpoint: \"http://user:hunter2@x\"}\n",
	} {
		_, faults := Parse("seshat.yaml", []byte(input))
		if len(faults) == 0 {
			t.Errorf("%q is accepted", input)
		}
		if strings.Contains(faults.Error(), "hunter2") {
			t.Errorf("%q: %s", input, faults.Error())
		}
	}
}
