package extproc

import (
	"errors"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/ingest"
)

// part is the part of an HTTP exchange that a message is about.
type part uint8

// The parts, in the order of their field numbers in ProcessingRequest, which begin at 2.
const (
	partNone part = iota
	partRequestHeader
	partResponseHeader
	partRequestBody
	partResponseBody
	partRequestTrailer
	partResponseTrailer
)

// bodyMode is how Envoy passes a body on (ProcessingMode.BodySendMode).
type bodyMode uint8

// The modes, with their numbers on the wire.
const (
	bodyNone bodyMode = iota
	bodyStreamed
	bodyBuffered
	bodyBufferedPartial
	bodyFullDuplex
	bodyGRPC
)

const (
	// maxFields is how many fields a header may have. Envoy itself takes 100 unless it is told otherwise.
	maxFields = 1024
	// maxAttributes is how many attributes are read. Five have a use here.
	maxAttributes = 32
)

// errFields refuses a header that Envoy should not have let through: to look at a part of it only would hide the rest.
var errFields = errors.New("the header has too many fields")

// incoming is a ProcessingRequest, as far as it is of use here. It is filled again for each message of a stream.
type incoming struct {
	part        part
	fields      []seshat.Field // of a header; texts are cut from one string
	end         bool           // nothing follows in this direction
	body        []byte         // the first of the body's bytes, at most keep
	size        int            // of the piece of the body
	keep        int            // how many bytes of a body are wanted
	attributes  []seshat.Field // the attributes that are texts
	observing   bool           // Envoy does not wait for answers
	configured  bool           // the message said which bodies Envoy is set to send
	requestMode bodyMode
	answerMode  bodyMode // of the response's body
}

func (m *incoming) reset() {
	clear(m.fields)
	clear(m.attributes)
	*m = incoming{fields: m.fields[:0], body: m.body[:0], attributes: m.attributes[:0], keep: m.keep}
}

// read reads a ProcessingRequest. Nothing of b is kept.
func (m *incoming) read(b []byte) error {
	m.reset()
	for s := (scanner[[]byte]{rest: b}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		switch {
		case s.kind == wireBytes && s.number >= 2 && s.number <= 7:
			err = m.readPart(part(s.number-1), s.bytes)
		case s.kind == wireBytes && s.number == 9:
			err = m.readAttributes(string(s.bytes))
		case s.kind == wireVarint && s.number == 10:
			m.observing = s.varint != 0
		case s.kind == wireBytes && s.number == 11:
			err = m.readConfiguration(s.bytes)
		}
		if err != nil {
			return err
		}
	}
}

// readPart reads the member of the oneof. A member that is there twice is merged, another one replaces it.
func (m *incoming) readPart(p part, b []byte) error {
	if m.part != p {
		clear(m.fields)
		m.part, m.fields, m.end, m.body, m.size = p, m.fields[:0], false, m.body[:0], 0
	}
	switch p {
	case partRequestHeader, partResponseHeader:
		return m.readHeader(b)
	case partRequestBody, partResponseBody:
		return m.readBody(b)
	default: // trailers say that the body is over; what is in them is of no use
		return nil
	}
}

// readHeader reads HttpHeaders.
func (m *incoming) readHeader(b []byte) error {
	for s := (scanner[[]byte]{rest: b}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		switch {
		case s.kind == wireBytes && s.number == 1:
			if err := m.readFields(string(s.bytes)); err != nil {
				return err
			}
		case s.kind == wireVarint && s.number == 3:
			m.end = s.varint != 0
		}
	}
}

// readFields reads HeaderMap. The fields share the memory of text.
func (m *incoming) readFields(text string) error {
	for s := (scanner[string]{rest: text}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		if s.kind != wireBytes || s.number != 1 {
			continue
		}
		if len(m.fields) == maxFields {
			return errFields
		}
		name, value, err := readField(s.bytes)
		if err != nil {
			return err
		}
		m.fields = append(m.fields, seshat.Field{Name: name, Value: ingest.Text(value)})
	}
}

// readField reads HeaderValue. Envoy sends the value as raw_value, and before 1.27 as value.
func readField(text string) (name, value string, err error) {
	var raw string
	for s := (scanner[string]{rest: text}); ; {
		more, err := s.next()
		if err != nil {
			return "", "", err
		}
		if !more {
			break
		}
		if s.kind != wireBytes {
			continue
		}
		switch s.number {
		case 1:
			name = s.bytes
		case 2:
			value = s.bytes
		case 3:
			raw = s.bytes
		}
	}
	if raw != "" {
		value = raw
	}
	return name, value, nil
}

// readBody reads HttpBody.
func (m *incoming) readBody(b []byte) error {
	for s := (scanner[[]byte]{rest: b}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		switch {
		case s.kind == wireBytes && s.number == 1:
			m.size = len(s.bytes)
			m.body = append(m.body[:0], s.bytes[:min(m.size, m.keep)]...)
		case s.kind == wireVarint && s.number == 2:
			m.end = s.varint != 0
		}
	}
}

// readAttributes reads an entry of the map of attributes: the name of the filter, and a Struct.
func (m *incoming) readAttributes(text string) error {
	return eachEntry(text, func(_, object string) error {
		for s := (scanner[string]{rest: object}); ; {
			more, err := s.next()
			if err != nil || !more {
				return err
			}
			if s.kind != wireBytes || s.number != 1 {
				continue
			}
			if err := eachEntry(s.bytes, m.addAttribute); err != nil {
				return err
			}
		}
	})
}

// addAttribute takes a field of the Struct when its Value is a text.
func (m *incoming) addAttribute(name, value string) error {
	for s := (scanner[string]{rest: value}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		if s.kind == wireBytes && s.number == 3 && len(m.attributes) < maxAttributes {
			m.attributes = append(m.attributes, seshat.Field{Name: name, Value: ingest.Text(s.bytes)})
		}
	}
}

// eachEntry reads one entry of a map whose values are messages.
func eachEntry(text string, take func(key, value string) error) error {
	var key, value string
	for s := (scanner[string]{rest: text}); ; {
		more, err := s.next()
		if err != nil {
			return err
		}
		if !more {
			return take(key, value)
		}
		switch {
		case s.kind == wireBytes && s.number == 1:
			key = s.bytes
		case s.kind == wireBytes && s.number == 2:
			value = s.bytes
		}
	}
}

// readConfiguration reads ProtocolConfiguration, which the first message of a stream has.
func (m *incoming) readConfiguration(b []byte) error {
	m.configured = true
	for s := (scanner[[]byte]{rest: b}); ; {
		more, err := s.next()
		if err != nil || !more {
			return err
		}
		switch {
		case s.kind == wireVarint && s.number == 1:
			m.requestMode = bodyMode(min(s.varint, 255))
		case s.kind == wireVarint && s.number == 2:
			m.answerMode = bodyMode(min(s.varint, 255))
		}
	}
}

// attribute returns an attribute, or nothing when Envoy was not asked for it.
func (m *incoming) attribute(name string) string {
	for i := range m.attributes {
		if m.attributes[i].Name == name {
			return m.attributes[i].Value
		}
	}
	return ""
}
