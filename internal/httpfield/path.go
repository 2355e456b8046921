package httpfield

import "strings"

// PathSegment returns the segment of path at position, percent-decoded into scratch where it has to be: 0 is the
// first, -1 the last. Empty segments do not count, so that doubled and trailing slashes do not move the others. Path
// parameters (";name=value") are not part of a segment. Dot segments are not resolved, malformed escapes are kept.
func PathSegment(path string, position int, scratch *Scratch) (segment string, ok bool) {
	if position < 0 {
		for n := -position; ; n-- {
			path = trimRightSlashes(path)
			if path == "" {
				return "", false
			}
			start := strings.LastIndexByte(path, '/') + 1
			if n == 1 {
				segment = path[start:]
				break
			}
			path = path[:start]
		}
	} else {
		for n := position; ; n-- {
			path = trimLeftSlashes(path)
			if path == "" {
				return "", false
			}
			end := strings.IndexByte(path, '/')
			if end < 0 {
				end = len(path)
			}
			if n == 0 {
				segment = path[:end]
				break
			}
			path = path[end:]
		}
	}
	if i := strings.IndexByte(segment, ';'); i >= 0 {
		segment = segment[:i]
	}
	segment, _ = UnescapePath(segment, scratch)
	return segment, true
}

// PathParameterCursor walks over the path parameters of a path. It is a value: copying it saves the position.
type PathParameterCursor struct {
	rest string
}

// PathParameters returns a cursor over the parameters ";name=value" behind any segment of path, such as
// ";jsessionid=" (RFC 3986, section 3.3). A parameter without "=" has an empty value; empty ones are skipped.
func PathParameters(path string) PathParameterCursor {
	return PathParameterCursor{rest: path}
}

// Next returns the next parameter, percent-decoded into scratch where it has to be; ok is false when there is none
// left.
func (c *PathParameterCursor) Next(scratch *Scratch) (name, value string, ok bool) {
	for {
		start := strings.IndexByte(c.rest, ';')
		if start < 0 {
			c.rest = ""
			return "", "", false
		}
		parameter := c.rest[start+1:]
		end := strings.IndexAny(parameter, ";/")
		if end < 0 {
			end = len(parameter)
		}
		parameter, c.rest = parameter[:end], parameter[end:]
		if parameter == "" {
			continue
		}
		name, value, _ = strings.Cut(parameter, "=")
		name, _ = UnescapePath(name, scratch)
		value, _ = UnescapePath(value, scratch)
		return name, value, true
	}
}

func trimLeftSlashes(s string) string {
	for s != "" && s[0] == '/' {
		s = s[1:]
	}
	return s
}

func trimRightSlashes(s string) string {
	for s != "" && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}
