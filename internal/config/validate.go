package config

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seshat-project/seshat"
)

// The roles of a process.
const (
	RoleAll      = "all"
	RoleGateway  = "gateway"
	RoleRecorder = "recorder"
)

// faultList collects what is wrong.
type faultList struct{ faults seshat.Faults }

func (f *faultList) add(field, message, hint string) {
	f.faults = append(f.faults, seshat.Fault{Field: field, Message: message, Hint: hint})
}

func (c *Config) validate() seshat.Faults {
	f := &faultList{}
	c.validateServing(f)
	c.validateRoutes(f)
	for i := range c.Upstreams {
		c.Upstreams[i].validate(f, fmt.Sprintf("upstreams[%d]", i), c.Upstreams[:i])
	}
	c.validateTimes(f)
	c.validateJournal(f)
	c.Recent.validate(f)
	return f.faults
}

func (c *Config) validateServing(f *faultList) {
	used := map[string]string{}
	address := func(field, value string) {
		checkAddress(f, field, value)
		if before, twice := used[value]; twice && !strings.HasSuffix(value, ":0") {
			f.add(field, value+" is the address of "+before+" too", "each needs an address of its own")
		}
		used[value] = field
	}
	for i := range c.Listeners {
		l, field := &c.Listeners[i], fmt.Sprintf("listeners[%d]", i)
		address(field+".address", l.Address)
		if l.TLS != nil {
			oneOf(f, field+".tls.minVersion", l.TLS.MinVersion, "", "1.2", "1.3")
		}
	}
	address("api.address", c.API.Address)
	c.API.validate(f)
	if c.ExtProc != nil {
		address("extProc.address", c.ExtProc.Address)
	}
	if a := c.ForwardAuth; a != nil {
		address("forwardAuth.address", a.Address)
		oneOf(f, "forwardAuth.observe", a.Observe, "auth", "log")
		if a.Observe == "log" && len(c.Logs) == 0 {
			f.add("forwardAuth.observe", "there is no access log to observe", "name it in logs")
		}
	}
	if n := c.NATSListen; n != nil {
		address("natsListen.address", n.Address)
	}
	if k := c.Cluster; k != nil {
		address("cluster.listen", k.Listen)
	}
	oneOf(f, "trustedField", c.TrustedField, "x-forwarded-for", "forwarded", "x-real-ip")
	oneOf(f, "forwardedFields", c.ForwardedFields, "x-forwarded", "forwarded", "both", "none")
	oneOf(f, "role", c.Role, RoleAll, RoleGateway, RoleRecorder)
	for _, name := range []struct{ field, value string }{
		{"sessionFields.session", c.SessionFields.Session},
		{"sessionFields.user", c.SessionFields.User},
		{"sessionFields.verdict", c.SessionFields.Verdict},
		{"via", c.Via},
		{"extProc.ja4Header", c.ja4Header()},
	} {
		if name.value != "" && !isToken(name.value) {
			f.add(name.field, strconv.Quote(name.value)+" is no name of a header field", "letters, digits and -")
		}
	}
	c.validateOwnFields(f)
	logs := map[string]int{}
	for i := range c.Logs {
		field, path := fmt.Sprintf("logs[%d].path", i), c.Logs[i].Path
		if path == "" {
			f.add(field, "is empty", "name the file")
		}
		if before, twice := logs[path]; twice {
			f.add(field, fmt.Sprintf("is the file of logs[%d] too", before), "every line would count twice")
		}
		logs[path] = i
	}
	if c.Role == RoleRecorder && (len(c.Listeners) > 0 || c.ExtProc != nil || c.ForwardAuth != nil || len(c.Logs) > 0) {
		f.add("role", "a recorder serves no traffic", "leave out listen, listeners, extProc, forwardAuth and logs")
	}
	if c.Events != nil {
		if c.Events.File == "" {
			f.add("events.file", "is empty", "name a file, or - for standard output")
		}
		if c.Role == RoleGateway {
			f.add("events", "a gateway that does not record does not know when sessions begin and end", "configure it where the role is all or recorder")
		}
	}
	if c.Tracing != nil {
		checkURL(f, "tracing.endpoint", c.Tracing.Endpoint)
		if r := *c.Tracing.SampleRatio; r < 0 || r > 1 {
			f.add("tracing.sampleRatio", "is not a share", "from 0 to 1")
		}
	}
}

func (c *Config) validateRoutes(f *faultList) {
	if len(c.Routes) == 0 && len(c.Listeners) > 0 {
		f.add("routes", "there is no route, so that nothing would be served", "name an upstream, and routes when there are several")
	}
	seen := map[string]string{}
	for i := range c.Routes {
		r, field := &c.Routes[i], fmt.Sprintf("routes[%d]", i)
		if !slices.ContainsFunc(c.Upstreams, func(u Upstream) bool { return u.Name == r.Upstream }) {
			f.add(field+".upstream", "there is no upstream called "+strconv.Quote(r.Upstream), "declare it in upstreams")
		}
		for j, path := range r.Paths {
			if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?# ") {
				f.add(fmt.Sprintf("%s.paths[%d]", field, j), strconv.Quote(path)+" is no path", "it begins with /")
			}
		}
		for j, host := range r.Hosts {
			name := strings.TrimPrefix(host, "*.")
			if name == "" || strings.ContainsAny(name, "*/ ?#@") {
				f.add(fmt.Sprintf("%s.hosts[%d]", field, j), strconv.Quote(host)+" is no host", `write it as in "api.example" or "*.example"`)
			}
		}
		for _, host := range orEmpty(r.Hosts) {
			for _, path := range orEmpty(r.Paths) {
				key := strings.ToLower(host) + " " + path
				if before, twice := seen[key]; twice {
					f.add(field, "matches exactly what "+before+" does", "remove one of the two")
				}
				seen[key] = field
			}
		}
	}
}

func orEmpty(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

func (u *Upstream) validate(f *faultList, field string, before []Upstream) {
	if u.Name == "" {
		f.add(field+".name", "is empty", "give it a name for routes and metrics")
	}
	if slices.ContainsFunc(before, func(b Upstream) bool { return b.Name == u.Name }) {
		f.add(field+".name", "there are two upstreams called "+strconv.Quote(u.Name), "names are unique")
	}
	for i, server := range u.Servers {
		checkURL(f, fmt.Sprintf("%s.servers[%d]", field, i), server)
	}
	oneOf(f, field+".balance", u.Balance, "least-busy", "round-robin")
	if *u.Retries < 0 || *u.Retries > maxRetries {
		f.add(field+".retries", "is out of range", fmt.Sprintf("from 0 to %d", maxRetries))
	}
	if u.MaxConnections < 0 {
		f.add(field+".maxConnections", "is negative", "leave it out for the default")
	}
	if h := u.HealthCheck; h != nil && !strings.HasPrefix(h.Path, "/") {
		f.add(field+".healthCheck.path", strconv.Quote(h.Path)+" is no path", "it begins with /")
	}
}

// maxRetries keeps a struggling upstream from getting a multiple of the traffic.
const maxRetries = 5

func (c *Config) validateTimes(f *faultList) {
	least, most := time.Millisecond, 24*time.Hour
	check := func(field string, d *seshat.Duration) {
		if v := time.Duration(*d); v < least || v > most {
			f.add(field, d.String()+" is out of range", "from 1ms to 1d")
		}
	}
	check("timeouts.header", c.Timeouts.Header)
	check("timeouts.body", c.Timeouts.Body)
	check("timeouts.keepAlive", c.Timeouts.KeepAlive)
	check("timeouts.tunnel", c.Timeouts.Tunnel)
	check("journal.batchDelay", c.Journal.BatchDelay)
	if d := time.Duration(*c.Journal.SyncInterval); d != 0 {
		check("journal.syncInterval", c.Journal.SyncInterval)
	}
	check("shutdownGrace", c.ShutdownGrace)
	for i := range c.Upstreams {
		u, field := &c.Upstreams[i], fmt.Sprintf("upstreams[%d]", i)
		check(field+".timeouts.connect", u.Timeouts.Connect)
		check(field+".timeouts.response", u.Timeouts.Response)
		check(field+".timeouts.idle", u.Timeouts.Idle)
		if h := u.HealthCheck; h != nil {
			check(field+".healthCheck.interval", h.Interval)
			check(field+".healthCheck.timeout", h.Timeout)
		}
	}
	if s := *c.Input.MaxHeaderBytes; s < 1<<10 || s > 1<<20 {
		f.add("input.maxHeaderBytes", "is out of range", "from 1KiB to 1MiB")
	}
	if n := c.Input.MaxHeaderFields; n < 8 || n > 10_000 {
		f.add("input.maxHeaderFields", "is out of range", "from 8 to 10000")
	}
	if c.Input.MaxConnections < 1 || c.Input.MaxConnectionsPerIP < 0 {
		f.add("input.maxConnections", "is out of range", "leave it out for the default")
	}
}

func (c *Config) validateJournal(f *faultList) {
	if s := *c.Journal.MaxBytes; s < 16<<20 {
		f.add("journal.maxBytes", "is too small to outlast a restart of the store", "at least 16MiB")
	}
	if s := *c.Journal.MaxQueueBytes; s < 1<<20 {
		f.add("journal.maxQueueBytes", "is less than a few batches", "at least 1MiB")
	}
	if c.NATS != nil && (c.Cluster != nil || c.NATSListen != nil) {
		f.add("nats", "a cluster of one's own is configured besides the embedded server", "leave out nats, or cluster and natsListen")
	}
	if c.Role == RoleGateway && c.NATS == nil && c.Cluster == nil {
		f.add("role", "a gateway that does not record needs a journal that somebody else reads", "name it in nats or cluster")
	}
	if c.NATS != nil {
		for server := range strings.SplitSeq(c.NATS.URL, ",") {
			u, err := url.Parse(strings.TrimSpace(server))
			if err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) || u.Host == "" {
				f.add("nats.url", "is no address of NATS servers", "write it as in nats://a.example:4222,nats://b.example:4222")
				break
			}
			if u.User != nil {
				f.add("nats.url", "has a secret", "secrets come from files: use credentialsFile or tokenFile")
				break
			}
		}
		if c.NATS.CredentialsFile != "" && c.NATS.TokenFile != "" {
			f.add("nats", "has both credentialsFile and tokenFile", "use one of them")
		}
		replicas(f, "nats.replicas", c.NATS.Replicas)
	}
	if n := c.NATSListen; n != nil && n.TokenFile == "" {
		f.add("natsListen.tokenFile", "is empty", "everybody who reaches the address could read the journal: name a file with a token")
	}
	if k := c.Cluster; k != nil {
		for _, name := range []struct{ field, value string }{{"cluster.name", k.Name}, {"cluster.node", k.Node}} {
			if !isToken(name.value) || strings.ContainsAny(name.value, ".*>") {
				f.add(name.field, strconv.Quote(name.value)+" is no name", "letters, digits, - and _")
			}
		}
		if k.TokenFile == "" {
			f.add("cluster.tokenFile", "is empty", "everybody who reaches the address could join: name a file with a token")
		}
		for i, route := range k.Routes {
			checkAddress(f, fmt.Sprintf("cluster.routes[%d]", i), route)
		}
		replicas(f, "cluster.replicas", k.Replicas)
	}
}

func replicas(f *faultList, field string, n int) {
	if n != 1 && n != 3 && n != 5 { // an even number outlives no more failures than one less
		f.add(field, "is out of range", "1, 3 or 5")
	}
}

func checkAddress(f *faultList, field, value string) {
	host, port, err := net.SplitHostPort(value)
	if err == nil && host != "" && strings.Contains(host, ":") {
		_, err = netip.ParseAddr(host)
	}
	if n, errPort := strconv.ParseUint(port, 10, 16); err != nil || errPort != nil || n > 65535 {
		f.add(field, strconv.Quote(value)+" is no address", `write it as in ":8080", "127.0.0.1:8080" or "[::1]:8080"`)
	}
}

func checkURL(f *faultList, field, value string) {
	u, err := url.Parse(value)
	if err == nil && u.Port() != "" {
		var port uint64
		if port, err = strconv.ParseUint(u.Port(), 10, 16); port == 0 {
			err = cmp.Or(err, strconv.ErrRange)
		}
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		f.add(field, strconv.Quote(redact(value))+" is no URL of a server", "write it as in http://127.0.0.1:3000")
		return
	}
	if strings.HasPrefix(field, "upstreams") && u.Path != "" && u.Path != "/" {
		f.add(field, "a server has no path", "leave the path out")
	}
}

// redact leaves out what may be a password.
func redact(value string) string {
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		return "…" + value[at:]
	}
	return value
}

func oneOf(f *faultList, field, value string, values ...string) {
	if !slices.Contains(values, value) {
		f.add(field, strconv.Quote(value)+" is not one of them", strings.TrimPrefix(strings.Join(values, ", "), ", "))
	}
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

func (c *Config) ja4Header() string {
	if c.ExtProc == nil {
		return ""
	}
	return c.ExtProc.JA4Header
}

// validateOwnFields checks the header fields that the configuration makes Seshat's own: what comes from outside under their
// names is removed, so that they must not be fields that HTTP, or the origin, needs.
func (c *Config) validateOwnFields(f *faultList) {
	used := map[string]string{}
	for _, own := range []struct{ field, name string }{
		{"sessionFields.session", c.SessionFields.Session},
		{"sessionFields.user", c.SessionFields.User},
		{"sessionFields.verdict", c.SessionFields.Verdict},
		{"extProc.ja4Header", c.ja4Header()},
	} {
		name := strings.ToLower(own.name)
		switch {
		case name == "":
		case used[name] != "":
			f.add(own.field, strconv.Quote(own.name)+" is the name in "+used[name]+" too", "each needs a name of its own")
		case slices.Contains([]string{
			"host", "connection", "content-length", "content-type", "content-encoding", "transfer-encoding", "te", "trailer", "upgrade",
			"expect", "keep-alive", "cookie", "authorization", "via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host",
			"user-agent", "accept", "traceparent", "tracestate",
		}, name):
			f.add(own.field, strconv.Quote(own.name)+" has a meaning of its own", "choose a name such as X-Seshat-Session")
		}
		used[name] = own.field
	}
}
