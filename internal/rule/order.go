package rule

import "slices"

// Ordered is a session rule in an order.
type Ordered struct {
	Name     string
	Priority int
}

// orderStep is what lies between the priorities of rules that are put in an order, where there is room: rules can then be
// put between them by hand.
const orderStep = 10

// Reorder returns priorities by which rules are tried in the order of list, in that order. As few as possible differ from
// those that they have, so that few rules have to be changed.
func Reorder(list []Ordered) []int {
	kept := unmoved(list)
	out := make([]int, len(list))
	for i := range list {
		out[i] = list[i].Priority
	}
	if len(kept) == 0 {
		for i := range out {
			out[i] = (i + 1) * orderStep
		}
		return out
	}
	first, last := kept[0], kept[len(kept)-1]
	for i, n := 0, first; i < n; i++ { // in front of the first that stays, from 0 on where there is room
		out[i] = between(min(-1, list[first].Priority-n-1), list[first].Priority, i, n)
	}
	for k := 1; k < len(kept); k++ {
		from, to := kept[k-1], kept[k]
		for i, n := 0, to-from-1; i < n; i++ {
			out[from+1+i] = between(list[from].Priority, list[to].Priority, i, n)
		}
	}
	for i := last + 1; i < len(list); i++ {
		out[i] = out[i-1] + orderStep
	}
	return out
}

// between is the ith, from 0, of n numbers that lie evenly between two others, which it never reaches.
func between(low, high, i, n int) int { return low + (high-low)*(i+1)/(n+1) }

// unmoved are the places of as many rules as possible that can keep their priorities: they come one after the other
// already, and there is room between them for those that do not.
func unmoved(list []Ordered) []int {
	best, before := make([]int, len(list)), make([]int, len(list))
	end := -1
	for i := range list {
		best[i], before[i] = 1, -1
		for j := range i {
			if best[j]+1 > best[i] && fits(&list[j], &list[i], i-j-1) {
				best[i], before[i] = best[j]+1, j
			}
		}
		if end < 0 || best[i] > best[end] {
			end = i
		}
	}
	var out []int
	for i := end; i >= 0; i = before[i] {
		out = append(out, i)
	}
	slices.Reverse(out)
	return out
}

// fits reports whether n other rules can be between a and b, each by a priority of its own.
func fits(a, b *Ordered, n int) bool {
	if n == 0 && a.Priority == b.Priority {
		return a.Name < b.Name
	}
	return b.Priority-a.Priority > n
}
