package har

import (
	"github.com/seshat-project/seshat"
)

// Tools write null, empty strings and other types where HAR asks for a number or an object. What decorates an entry
// is read where it is what it should be, and ignored where it is not; what an exchange cannot be without is read strictly.

// text reads a string; anything else is the empty one.
func (e *entry) text() (string, error) {
	if k := e.cursor.Kind(); k != '"' && k != 0 {
		return "", e.cursor.Skip()
	}
	return e.cursor.Text("")
}

// number reads a number; anything else is 0.
func (e *entry) number() (float64, error) {
	if k := e.cursor.Kind(); k != '0' && k != 0 {
		return 0, e.cursor.Skip()
	}
	n, _, err := e.cursor.Number("")
	return n, err
}

// size reads a number of bytes; -1, which says that it is not known, is 0.
func (e *entry) size() (int64, error) {
	n, err := e.number()
	const exact = 1 << 53
	if !(n > 0 && n < exact) {
		return 0, err
	}
	return int64(n), err
}

// object reads an object; anything else has no members.
func (e *entry) object(member func(name string) error) error {
	if k := e.cursor.Kind(); k != '{' && k != 0 {
		return e.cursor.Skip()
	}
	return e.cursor.Object("", member)
}

// objects reads a list of objects and calls end behind each; anything else is an empty list.
func (e *entry) objects(field string, member func(name string) error, end func()) error {
	if k := e.cursor.Kind(); k != '[' && k != 0 {
		return e.cursor.Skip()
	}
	return e.cursor.Array("", "", func(i int) error {
		if i == maxList {
			return faultList(field)
		}
		err := e.object(member)
		if err == nil {
			end()
		}
		return err
	})
}

// pairs reads a list of objects with name and value.
func (e *entry) pairs(field string, add func(seshat.Field)) error {
	var pair seshat.Field
	return e.objects(field, func(name string) (err error) {
		switch name {
		case "name":
			pair.Name, err = e.text()
		case "value":
			pair.Value, err = e.text()
		default:
			err = e.cursor.Skip()
		}
		return err
	}, func() {
		add(pair)
		pair = seshat.Field{}
	})
}
