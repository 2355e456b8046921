package extproc

// The members of google.protobuf.Value that are used.
const (
	valueText = 3
	valueList = 6
)

// dynamic writes dynamic metadata: a Struct with one member, the namespace.
type dynamic struct {
	w                        *outgoing
	field, entry, space, all int
}

// dynamic begins the metadata of a namespace.
func (w *outgoing) dynamic(namespace string) dynamic {
	m := dynamic{w: w}
	m.field = w.open(8)
	m.entry = w.open(1)
	w.text(1, namespace)
	m.space = w.open(2)
	m.all = w.open(5)
	return m
}

// text adds a member, unless it is empty.
func (m *dynamic) text(name, value string) {
	if value == "" {
		return
	}
	w := m.w
	entry := w.open(1)
	w.text(1, name)
	inner := w.open(2)
	w.text(valueText, value)
	w.shut(inner)
	w.shut(entry)
}

// list adds a member that is a list of texts, unless it is empty.
func (m *dynamic) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w := m.w
	entry := w.open(1)
	w.text(1, name)
	inner := w.open(2)
	list := w.open(valueList)
	for _, value := range values {
		one := w.open(1)
		w.text(valueText, value)
		w.shut(one)
	}
	w.shut(list)
	w.shut(inner)
	w.shut(entry)
}

func (m *dynamic) shut() {
	m.w.shut(m.all)
	m.w.shut(m.space)
	m.w.shut(m.entry)
	m.w.shut(m.field)
}
