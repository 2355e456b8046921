package resource

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
)

// writeYAMLObject prints the members of n, each on lines of its own, indented by indent spaces.
func writeYAMLObject(b *bytes.Buffer, n *node, indent int) {
	for i := range n.members {
		b.WriteString(strings.Repeat(" ", indent))
		writeYAMLMember(b, &n.members[i], indent)
	}
}

func writeYAMLMember(b *bytes.Buffer, m *member, indent int) {
	b.WriteString(yamlText(m.key))
	b.WriteByte(':')
	switch {
	case m.value.kind == nodeObject && len(m.value.members) > 0:
		b.WriteByte('\n')
		writeYAMLObject(b, m.value, indent+2)
	case m.value.kind == nodeList && len(m.value.items) > 0:
		b.WriteByte('\n')
		for _, item := range m.value.items {
			b.WriteString(strings.Repeat(" ", indent+2) + "- ")
			writeYAMLItem(b, item, indent+4)
		}
	default:
		b.WriteString(" " + yamlScalar(m.value) + "\n")
	}
}

// writeYAMLItem prints an item of a list behind its dash. No resource has lists of lists.
func writeYAMLItem(b *bytes.Buffer, n *node, indent int) {
	if n.kind != nodeObject || len(n.members) == 0 {
		b.WriteString(yamlScalar(n) + "\n")
		return
	}
	for i := range n.members {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", indent))
		}
		writeYAMLMember(b, &n.members[i], indent)
	}
}

func yamlScalar(n *node) string {
	switch n.kind {
	case nodeText:
		return yamlText(n.text)
	case nodeBool, nodeInteger, nodeNumber:
		return n.text
	case nodeList:
		return "[]"
	case nodeObject:
		return "{}"
	default:
		return "null"
	}
}

// yamlText prints a text in the plainest style that reads back as the same text everywhere, also with parsers that
// still take "yes" or "12:30" for something else.
func yamlText(text string) string {
	if isPlainYAML(text) {
		return text
	}
	printable := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	if printable && strings.ContainsAny(text, `\"`) {
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isPlainYAML reports whether text needs no quotes.
func isPlainYAML(text string) bool {
	if text == "" || text[len(text)-1] == ' ' {
		return false
	}
	for i := range len(text) {
		c := text[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if i == 0 && !letter && c != '/' && c != '_' && c != '$' {
			// A duration such as 30m begins with a digit and is still a text; see below.
			return isPlainDuration(text)
		}
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("_./-$ ", rune(c)) {
			return false
		}
	}
	switch strings.ToLower(text) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null":
		return false
	}
	return true
}

// isPlainDuration reports whether text is like 30m or 7d, which no YAML parser takes for a number.
func isPlainDuration(text string) bool {
	last := text[len(text)-1]
	if strings.IndexByte("smhd", last) < 0 {
		return false
	}
	return strings.Trim(text, "0123456789smhdun") == "" && text[0] >= '0' && text[0] <= '9'
}
