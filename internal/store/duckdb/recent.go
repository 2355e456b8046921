package duckdb

// recent remembers values by key, and forgets those that were not used for a while: it keeps between size and
// 2·size of them.
type recent[K comparable, V any] struct {
	size     int
	new, old map[K]V
}

func newRecent[K comparable, V any](size int) *recent[K, V] {
	return &recent[K, V]{size: size, new: make(map[K]V)}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	if v, ok := r.new[key]; ok {
		return v, true
	}
	v, ok := r.old[key]
	if ok {
		r.put(key, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(key K, v V) {
	if len(r.new) >= r.size {
		r.old, r.new = r.new, make(map[K]V, r.size)
	}
	r.new[key] = v
}

func (r *recent[K, V]) reset() {
	r.new, r.old = make(map[K]V), nil
}
