package rule_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/seshat-project/seshat/internal/rule"
)

func TestReorder(t *testing.T) {
	f := func(in []rule.Ordered, want []int) {
		t.Helper()
		if got := rule.Reorder(in); !slices.Equal(got, want) {
			t.Errorf("%v: priorities %v; want %v", in, got, want)
		}
	}
	f(nil, []int{})
	f([]rule.Ordered{{"a", 100}}, []int{100})
	f([]rule.Ordered{{"a", 100}, {"b", 100}, {"c", 100}}, []int{100, 100, 100}) // by name already
	f([]rule.Ordered{{"c", 100}, {"a", 100}, {"b", 100}}, []int{49, 100, 100})  // to the top
	f([]rule.Ordered{{"b", 100}, {"c", 100}, {"a", 100}}, []int{100, 100, 110}) // to the end
	f([]rule.Ordered{{"a", 10}, {"c", 30}, {"b", 20}}, []int{10, 30, 40})
	f([]rule.Ordered{{"a", 10}, {"d", 40}, {"b", 20}, {"c", 30}}, []int{10, 15, 20, 30})
	f([]rule.Ordered{{"a", 0}, {"c", 9}, {"b", 1}}, []int{0, 9, 19}) // no room between 0 and 1
	f([]rule.Ordered{{"z", 9}, {"a", 0}}, []int{9, 19})
	f([]rule.Ordered{{"b", 5}, {"a", 5}}, []int{5, 15})
	f([]rule.Ordered{{"c", 0}, {"b", 0}, {"a", 0}}, []int{0, 10, 20})
}

// TestReorderHoldsItsOrder checks that rules come in the order that was asked for, and that one that was moved alone is
// the only one that is changed wherever there is room.
func TestReorderHoldsItsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		priorities := rapid.SliceOfN(rapid.IntRange(-20, 200), 1, 40).Draw(t, "priorities")
		list := make([]rule.Ordered, len(priorities))
		for i, p := range priorities {
			list[i] = rule.Ordered{Name: fmt.Sprintf("r%02d", i), Priority: p}
		}
		list = rapid.Permutation(list).Draw(t, "order")
		got := rule.Reorder(list)
		after := slices.Clone(list)
		for i := range after {
			after[i].Priority = got[i]
		}
		slices.SortFunc(after, func(a, b rule.Ordered) int {
			return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Name, b.Name))
		})
		for i := range list {
			if after[i].Name != list[i].Name {
				t.Fatalf("asked for %v, got the order %v", list, after)
			}
		}
		again := slices.Clone(list)
		for i := range again {
			again[i].Priority = got[i]
		}
		if stays := rule.Reorder(again); !slices.Equal(stays, got) {
			t.Fatalf("an order that holds already was changed from %v to %v", got, stays)
		}
	})
}

func TestReorderMovesOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 30).Draw(t, "n")
		list := make([]rule.Ordered, n)
		for i := range list {
			list[i] = rule.Ordered{Name: fmt.Sprintf("r%02d", i), Priority: 10 * (i + 1)}
		}
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		moved := list[from]
		list = slices.Insert(slices.Delete(slices.Clone(list), from, from+1), to, moved)
		changed := 0
		for i, p := range rule.Reorder(list) {
			if p != list[i].Priority {
				changed++
			}
		}
		if changed > 1 {
			t.Fatalf("one rule was moved from %d to %d of %d, and %d were changed", from, to, n, changed)
		}
	})
}
