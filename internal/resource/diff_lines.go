package resource

import (
	"fmt"
	"strings"
)

// maxDiffCells bounds the table of a comparison of lines to 16 MiB. A resource of [MaxDocument] bytes has some thousand
// lines; two that are longer and have nothing in common are shown as one taken away and one added.
const maxDiffCells = 4 << 20

// unified is the unified diff of two texts; empty when they are equal.
func unified(fromName, toName string, from, to []string) string {
	script := compareLines(from, to)
	var out strings.Builder
	for at := 0; at < len(script); {
		if script[at].sign == ' ' {
			at++
			continue
		}
		// A hunk ends where more equal lines follow than the contexts of two hunks have.
		begin, end := max(0, at-diffContext), at+1
		for equal := 0; end < len(script) && equal <= 2*diffContext; end++ {
			if script[end].sign == ' ' {
				equal++
			} else {
				equal = 0
			}
		}
		last := end - 1
		for script[last].sign == ' ' {
			last--
		}
		end = min(len(script), last+1+diffContext)
		if out.Len() == 0 {
			fmt.Fprintf(&out, "--- %s\n+++ %s\n", fromName, toName)
		}
		hunk(&out, script, begin, end)
		at = end
	}
	return out.String()
}

// edit is one line of a comparison, and where it stands in each text.
type edit struct {
	sign     byte // ' ', '-' or '+'
	text     string
	from, to int
}

func hunk(out *strings.Builder, script []edit, begin, end int) {
	removed, added := 0, 0
	for _, e := range script[begin:end] {
		if e.sign != '+' {
			removed++
		}
		if e.sign != '-' {
			added++
		}
	}
	side := func(at, n int) string {
		if n == 0 { // the line before
			return fmt.Sprintf("%d,0", at)
		}
		if n == 1 {
			return fmt.Sprint(at + 1)
		}
		return fmt.Sprintf("%d,%d", at+1, n)
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", side(script[begin].from, removed), side(script[begin].to, added))
	for _, e := range script[begin:end] {
		out.WriteByte(e.sign)
		out.WriteString(e.text)
		out.WriteByte('\n')
	}
}

// compareLines is the shortest way from one text to the other, by their longest common subsequence. What they begin and
// end with alike, which is nearly everything, is not compared.
func compareLines(from, to []string) []edit {
	head := 0
	for head < len(from) && head < len(to) && from[head] == to[head] {
		head++
	}
	tail := 0
	for tail < len(from)-head && tail < len(to)-head && from[len(from)-1-tail] == to[len(to)-1-tail] {
		tail++
	}
	a, b := from[head:len(from)-tail], to[head:len(to)-tail]
	script := make([]edit, 0, len(from)+len(b))
	i, j := 0, 0
	add := func(sign byte, line string) {
		script = append(script, edit{sign, line, i, j})
		if sign != '+' {
			i++
		}
		if sign != '-' {
			j++
		}
	}
	for _, line := range from[:head] {
		add(' ', line)
	}
	common := commonLengths(a, b)
	for x, y := 0, 0; x < len(a) || y < len(b); {
		switch {
		case x < len(a) && y < len(b) && a[x] == b[y] && common != nil:
			add(' ', a[x])
			x++
			y++
		case y == len(b) || x < len(a) && (common == nil || common[x+1][y] >= common[x][y+1]):
			add('-', a[x])
			x++
		default:
			add('+', b[y])
			y++
		}
	}
	for _, line := range from[len(from)-tail:] {
		add(' ', line)
	}
	return script
}

// commonLengths is, for each pair of places, how many lines the rests from there have in common; nil when that would
// take too much memory.
func commonLengths(a, b []string) [][]int32 {
	if (len(a)+1)*(len(b)+1) > maxDiffCells {
		return nil
	}
	table := make([][]int32, len(a)+1)
	for i := range table {
		table[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}
