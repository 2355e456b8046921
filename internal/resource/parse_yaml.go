package resource

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yamlDocument is the text of one document of a stream, and the number of lines before it.
type yamlDocument struct {
	text   string
	before int
}

// readYAML reads the documents of a YAML stream. Each is parsed on its own, so that the faults of one do not hide
// those of the others.
func readYAML(data []byte, faults *faultList) []*node {
	// The parser counts the line breaks of Windows twice behind comments.
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	var documents []*node
	for _, document := range splitYAML(text) {
		if n := readYAMLDocument(document, faults); n != nil {
			documents = append(documents, n)
		}
	}
	return documents
}

// splitYAML splits a stream at the lines "---" and "...", which cannot be part of any value (YAML 1.2.2, rule
// c-forbidden). Documents of nothing but comments and directives are left out.
func splitYAML(text string) []yamlDocument {
	var out []yamlDocument
	var current strings.Builder
	line, before := 0, 0
	flush := func() {
		if doc := current.String(); !isBlankYAML(doc) {
			out = append(out, yamlDocument{doc, before})
		}
		current.Reset()
		before = line
	}
	for part := range strings.Lines(text) {
		if isMarker(part, "---") || isMarker(part, "...") {
			flush()
			// What follows the marker on its line belongs to the new document, at its column.
			part = "   " + part[3:]
		}
		current.WriteString(part)
		line++
	}
	flush()
	return out
}

func isMarker(line, marker string) bool {
	rest, ok := strings.CutPrefix(line, marker)
	return ok && (rest == "" || strings.IndexByte(" \t\n", rest[0]) >= 0)
}

func isBlankYAML(text string) bool {
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if trimmed != "" && trimmed[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

func readYAMLDocument(document yamlDocument, faults *faultList) *node {
	r := yamlReader{before: document.before, faults: faults, anchors: make(map[string]*node)}
	if len(document.text) > MaxDocument {
		faults.add(position{document.before + 1, 1}, "", fmt.Sprintf("a document of more than %d KiB", MaxDocument>>10),
			"write one resource a document, with a line --- between them")
		return nil
	}
	tokens := lexer.Tokenize(document.text)
	if !r.checkTokens(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntaxFault(err)
		return nil
	}
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		n := r.convert(doc.Body)
		if r.failed {
			return nil
		}
		if n.size > MaxValues {
			faults.add(n.pos, "", fmt.Sprintf("more than %d values once aliases are expanded", MaxValues), "use fewer aliases")
			return nil
		}
		if n.depth > MaxDepth {
			faults.add(n.pos, "", errTooDeep.Error(), "")
			return nil
		}
		return n
	}
	return nil
}

// yamlReader turns the syntax tree of one document into nodes.
type yamlReader struct {
	before  int // lines before the document
	faults  *faultList
	failed  bool
	anchors map[string]*node
	copied  int // members that merge keys copied
}

func (r *yamlReader) place(tk *token.Token) position {
	if tk == nil || tk.Position == nil {
		return position{r.before + 1, 1}
	}
	return position{r.before + max(tk.Position.Line, 1), max(tk.Position.Column, 1)}
}

func (r *yamlReader) fail(tk *token.Token, message, hint string) {
	r.failed = true
	r.faults.add(r.place(tk), "", message, hint)
}

// checkTokens refuses what the parser takes too long for (it is quadratic in the depth of brackets) or gets wrong (it
// drops tabs within a plain text).
func (r *yamlReader) checkTokens(tokens token.Tokens) bool {
	depth, run := 0, 0
	for _, tk := range tokens {
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		default:
		}
		switch tk.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			run++ // "- - - - x" nests without brackets
		default:
			run = 0
		}
		if depth > MaxDepth || run > 2*MaxDepth {
			r.fail(tk, errTooDeep.Error(), "")
			return false
		}
		if tk.Type == token.StringType && strings.Contains(strings.TrimSpace(tk.Origin), "\t") {
			r.fail(tk, "a tab within a text without quotes", `put the text in double quotes and write \t for the tab`)
			return false
		}
	}
	return true
}

// syntaxFault reports an error of the parser.
func (r *yamlReader) syntaxFault(err error) {
	var syntax yaml.Error
	if !errors.As(err, &syntax) {
		r.fail(nil, "not YAML: "+err.Error(), "")
		return
	}
	message, hint := syntax.GetMessage(), ""
	switch {
	case strings.Contains(message, "'\t'"), strings.Contains(message, "tab character"):
		message, hint = "a tab in the indentation", "indent with spaces"
	case strings.Contains(message, "reserved character"):
		hint = "put the text in quotes"
	case strings.Contains(message, "mapping value is not allowed in this context"):
		message, hint = `a second ": " on one line`, "put the text in quotes"
	case strings.Contains(message, "unexpected directive value"):
		message, hint = "a text that begins with %", "put the text in quotes"
	case strings.Contains(message, "unknown escape character"):
		hint = `in double quotes write \\ for a backslash, or use single quotes`
	case strings.Contains(message, "value is not allowed in this context"):
		hint = "check the indentation"
	}
	r.fail(syntax.GetToken(), "not YAML: "+message, hint)
}

// convert turns a syntax node into a node. It never returns nil.
func (r *yamlReader) convert(n ast.Node) *node {
	if n == nil {
		return (&node{pos: position{r.before + 1, 1}}).measure()
	}
	out := &node{pos: r.place(n.GetToken())}
	switch v := n.(type) {
	case *ast.NullNode:
		out.kind = nodeNull
	case *ast.BoolNode:
		out.kind, out.text = nodeBool, fmt.Sprint(v.Value)
	case *ast.IntegerNode:
		out.text = v.GetToken().Value
		out.kind = numberKind(out.text)
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind, out.text = nodeNumber, v.GetToken().Value
	case *ast.StringNode:
		out.kind, out.text = nodeText, v.Value
	case *ast.LiteralNode:
		out.kind, out.text = nodeText, v.Value.Value
	case *ast.SequenceNode:
		out.kind = nodeList
		for _, item := range v.Values {
			out.items = append(out.items, r.convert(item))
		}
	case *ast.MappingNode:
		out.kind = nodeObject
		r.members(out, v.Values)
		if !v.IsFlowStyle && len(out.members) > 0 {
			out.pos = out.members[0].pos // the parser's token of a block mapping is its first colon
		}
	case *ast.MappingValueNode:
		out.kind = nodeObject
		r.members(out, []*ast.MappingValueNode{v})
		if len(out.members) > 0 {
			out.pos = out.members[0].pos
		}
	case *ast.AnchorNode:
		out = r.convert(v.Value)
		r.anchors[anchorName(v.Name)] = out // only now: an alias within its own anchor has no end
		return out
	case *ast.AliasNode:
		anchored, ok := r.anchors[anchorName(v.Value)]
		if !ok {
			r.fail(v.GetToken(), fmt.Sprintf("the alias *%s has no anchor before it", anchorName(v.Value)), "put texts that begin with * in quotes")
			return out.measure()
		}
		return anchored
	case *ast.TagNode:
		return r.tagged(v)
	default:
		r.fail(n.GetToken(), "this part of YAML is not supported: "+n.Type().String(), "")
	}
	return out.measure()
}

// tagged converts a value with a tag. Tags other than those of the value itself have no meaning in resources.
func (r *yamlReader) tagged(v *ast.TagNode) *node {
	name := v.GetToken().Value
	out := r.convert(v.Value)
	switch name {
	case "!!str":
		if out.kind != nodeList && out.kind != nodeObject {
			text := *out
			text.kind = nodeText
			return &text
		}
	case "!!map", "!!seq", "!!int", "!!float", "!!bool", "!!null":
		return out
	}
	r.fail(v.GetToken(), "the tag "+name+" has no meaning here", "remove it")
	return out
}

func anchorName(n ast.Node) string {
	if n == nil {
		return ""
	}
	return n.GetToken().Value
}

// members adds the keys of a mapping to out. Merge keys ("<<") add those that the mapping does not have itself.
func (r *yamlReader) members(out *node, values []*ast.MappingValueNode) {
	var merged []*node
	for _, value := range values {
		if value.Key.Type() == ast.MergeKeyType {
			merged = append(merged, r.merges(value)...)
			continue
		}
		key, ok := r.key(value.Key)
		if !ok {
			r.fail(value.Key.GetToken(), "a key that is not a text", "")
			continue
		}
		out.members = append(out.members, member{key: key, pos: r.place(value.Key.GetToken()), value: r.convert(value.Value)})
	}
	if len(merged) == 0 {
		return
	}
	own := make(map[string]bool, len(out.members))
	for i := range out.members {
		own[out.members[i].key] = true
	}
	for _, from := range merged {
		for _, m := range from.members {
			if r.copied++; r.copied > MaxValues {
				r.fail(values[0].GetToken(), fmt.Sprintf("more than %d values once aliases are expanded", MaxValues), "use fewer aliases")
				return
			}
			if !own[m.key] {
				own[m.key] = true
				out.members = append(out.members, m)
			}
		}
	}
}

// merges returns the objects that a merge key names.
func (r *yamlReader) merges(value *ast.MappingValueNode) []*node {
	from := r.convert(value.Value)
	list := []*node{from}
	if from.kind == nodeList {
		list = from.items
	}
	for _, n := range list {
		if n.kind != nodeObject {
			r.fail(value.Key.GetToken(), "<< needs an object, or a list of them", "")
			return nil
		}
	}
	return list
}

// key is the text of a key. Keys such as 1 and true are what they look like.
func (r *yamlReader) key(n ast.MapKeyNode) (string, bool) {
	inner := ast.Node(n)
	if explicit, ok := n.(*ast.MappingKeyNode); ok { // "? key"
		inner = explicit.Value
	}
	switch v := inner.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value, true
	default:
		return "", false
	}
}
