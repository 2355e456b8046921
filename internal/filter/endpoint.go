package filter

import "strings"

// Endpoint is a pattern of endpoints. An endpoint is a method, a space, a host and a path template, such as
// "GET api.shop.example/orders/{var1}".
//
// As written, the method may be left out, which means any. What begins with "/" is the whole path, on any host.
// Otherwise it is host and path together, and a wildcard crosses slashes: "*/orders" is a path that ends so.
type Endpoint struct {
	Method Pattern // in upper case; nil is any method
	// AnyHost says that Target is about the path alone. Otherwise it is about host and path, written together.
	AnyHost bool
	Target  Pattern
}

// Match reports whether text, an endpoint in its written form, matches.
func (e *Endpoint) Match(text string) bool {
	method, target, found := strings.Cut(text, " ")
	if !found || e.Method != nil && !e.Method.Match(method) {
		return false
	}
	if e.AnyHost {
		slash := strings.IndexByte(target, '/')
		if slash < 0 {
			return false
		}
		target = target[slash:]
	}
	return e.Target.Match(target)
}

// Regexp returns the pattern as an RE2 expression that matches an endpoint in its written form.
func (e *Endpoint) Regexp() string {
	method := `[^ ]* `
	if e.Method != nil {
		method = strings.ReplaceAll(e.Method.regexp(), ".*", "[^ ]*") + " "
	}
	host := ""
	if e.AnyHost {
		host = `[^/]*`
	}
	return `(?s)\A` + method + host + e.Target.regexp() + `\z`
}

// String is the written form.
func (e *Endpoint) String() string { return e.pattern().String() }

// pattern is e as one pattern. A target with a space in it needs a method before it, even if that means any.
func (e *Endpoint) pattern() Pattern {
	method := e.Method
	if method == nil {
		if !strings.Contains(strings.Join(e.Target, "*"), " ") {
			return e.Target
		}
		method = Pattern{"", ""}
	}
	last := len(method) - 1
	joined := append(Pattern{}, method[:last]...)
	joined = append(joined, method[last]+" "+e.Target[0])
	return append(joined, e.Target[1:]...)
}

// parseEndpoint reads the written form of an endpoint pattern. It returns what is wrong and what to do about it, or
// two empty strings.
func parseEndpoint(p Pattern) (e *Endpoint, message, hint string) {
	e = &Endpoint{Target: p}
	for i, part := range p {
		if before, after, found := strings.Cut(part, " "); found {
			method := append(append(Pattern{}, p[:i]...), before)
			e.Target = append(Pattern{strings.TrimLeft(after, " ")}, p[i+1:]...)
			if !method.matchesAll() {
				for j := range method {
					method[j] = strings.ToUpper(method[j])
				}
				e.Method = method
			}
			break
		}
	}
	if literal, ok := e.Target.Literal(); ok && !strings.Contains(literal, "/") {
		return nil, "an endpoint needs a path",
			`write endpoint:/login, endpoint:"POST /login" or endpoint:"GET */orders/*"; for a method alone, method:GET`
	}
	e.AnyHost = strings.HasPrefix(e.Target[0], "/")
	return e, "", ""
}
