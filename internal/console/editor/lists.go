package editor

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// item is the text of the control that says that an item of a list is there: its name is the item's path. A list has such a
// control as well, whether there are items or not.
const (
	item   = "item"
	listed = "list"
)

// Items is how many items a list has.
func (f *Form) Items(list string) int {
	n := 0
	for f.Has(at(list, n)) {
		n++
	}
	return n
}

// PutList says how many items a list has.
func (f *Form) PutList(name string, n int) {
	f.Values.Set(name, listed)
	for i := range n {
		f.Values.Set(at(name, i), item)
	}
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// At is the path of an item of a list.
func At(list string, i int) string { return at(list, i) }

// The changes of lists that buttons ask for: the value of the button is one of these words, a space, and the path of the
// list, or of the item. That of add may have another space, and the texts of controls of the new item as a query: it then
// is "add spec.identifiers form=cookie".
const (
	DoAdd    = "add"
	DoRemove = "remove"
	DoUp     = "up"
	DoDown   = "down"
)

// Do changes a list as the value of a button asks for, and reports whether it did. Nothing is added to lists that have
// most items already.
func (f *Form) Do(button string, most int) bool {
	word, path, found := strings.Cut(button, " ")
	if !found {
		return false
	}
	if word == DoAdd {
		path, fill, _ := strings.Cut(path, " ")
		return f.add(path, fill, most)
	}
	open := strings.LastIndexByte(path, '[')
	if open < 0 || !strings.HasSuffix(path, "]") {
		return false
	}
	list := path[:open]
	i, err := strconv.Atoi(path[open+1 : len(path)-1])
	n := f.Items(list)
	if err != nil || i < 0 || i >= n {
		return false
	}
	switch word {
	case DoRemove:
		for j := i; j+1 < n; j++ {
			f.swap(at(list, j), at(list, j+1))
		}
		f.drop(at(list, n-1))
		f.Focus, f.Said = list+".add", "Removed."
		if n > 1 {
			f.Focus = at(list, min(i, n-2))
		}
	case DoUp, DoDown:
		to := i - 1
		if word == DoDown {
			to = i + 1
		}
		if to < 0 || to >= n {
			return false
		}
		f.swap(at(list, i), at(list, to))
		f.Focus, f.Said = mover(word, list, to, n), fmt.Sprintf("Moved to place %d of %d.", to+1, n)
	default:
		return false
	}
	return true
}

// mover is the button that moves an item on, or back where it cannot go on.
func mover(word, list string, i, n int) string {
	switch i {
	case 0:
		word = DoDown
	case n - 1:
		word = DoUp
	}
	return at(list, i) + "." + word
}

// add adds an item; fill are the texts of its controls, as a query.
func (f *Form) add(list, fill string, most int) bool {
	n := f.Items(list)
	if n >= most {
		f.fault(list, fmt.Sprintf("at most %d are allowed", most), "")
		return false
	}
	controls, err := url.ParseQuery(fill)
	if err != nil {
		return false
	}
	path := at(list, n)
	f.Values.Set(path, item)
	for name, values := range controls {
		f.Values.Set(path+"."+name, values[0])
	}
	f.Focus, f.Said = path, "Added."
	return true
}

// drop removes everything of an item.
func (f *Form) drop(path string) {
	for name := range f.Values {
		if within(name, path) {
			f.Values.Del(name)
		}
	}
}

// swap exchanges everything of two items.
func (f *Form) swap(a, b string) {
	moved := url.Values{}
	for name, values := range f.Values {
		switch {
		case within(name, a):
			moved[b+name[len(a):]] = values
		case within(name, b):
			moved[a+name[len(b):]] = values
		default:
			continue
		}
		f.Values.Del(name)
	}
	for name, values := range moved {
		f.Values[name] = values
	}
}

// within reports whether a control is an item, or part of it.
func within(name, path string) bool {
	return strings.HasPrefix(name, path) && (len(name) == len(path) || name[len(path)] == '.')
}
