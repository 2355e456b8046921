package accuracy

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadTruth reads a CSV file with the columns id, session, user and label, in any order, and any others.
func ReadTruth(r io.Reader) ([]Truth, error) {
	var list []Truth
	seen := map[string]struct{}{}
	err := readTable(r, []string{"id", "session", "user", "label"}, func(get func(string) string) error {
		t := Truth{ID: get("id"), Session: get("session"), User: get("user"), Label: get("label")}
		if _, twice := seen[t.ID]; twice {
			return fmt.Errorf("exchange %q is there twice", t.ID)
		}
		seen[t.ID] = struct{}{}
		list = append(list, t)
		return nil
	})
	return list, err
}

// ReadPredictions reads a CSV file with the columns id and session_id, as "seshat explore --columns id,session_id
// --format csv" writes it. A column "origin" or "identified_by", if there is one, tells what the fallback grouped.
func ReadPredictions(r io.Reader) (map[string]Prediction, error) {
	predictions := map[string]Prediction{}
	err := readTable(r, []string{"id", "session_id"}, func(get func(string) string) error {
		id := get("id")
		if id == "" {
			return nil // an exchange without an ID of its own cannot be in the truth
		}
		if _, twice := predictions[id]; twice {
			return fmt.Errorf("exchange %q is there twice", id)
		}
		identifiedBy := get("identified_by")
		predictions[id] = Prediction{
			Session:  get("session_id"),
			Fallback: get("origin") == "fallback" || identifiedBy == "ip" || identifiedBy == "ip+user-agent",
		}
		return nil
	})
	return predictions, err
}

// readTable calls row for each record of a CSV file with a header line. A column that is not there reads as empty
// unless it is required.
func readTable(r io.Reader, required []string, row func(get func(string) string) error) error {
	reader := csv.NewReader(r)
	reader.ReuseRecord = true
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty; a header line was expected")
	}
	if err != nil {
		return fmt.Errorf("read header: %w", err)
	}
	columns := make(map[string]int, len(header))
	for i, name := range header {
		columns[strings.TrimSpace(name)] = i
	}
	for _, name := range required {
		if _, ok := columns[name]; !ok {
			return fmt.Errorf("there is no column %q", name)
		}
	}
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read record: %w", err)
		}
		err = row(func(name string) string {
			if i, ok := columns[name]; ok {
				return record[i]
			}
			return ""
		})
		if err != nil {
			line, _ := reader.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// ReadServices reads the service of each exchange from NDJSON exchanges.
func ReadServices(r io.Reader) (map[string]string, error) {
	services := map[string]string{}
	decoder := json.NewDecoder(r)
	for {
		var exchange struct {
			ID      string `json:"id"`
			Service string `json:"service"`
		}
		err := decoder.Decode(&exchange)
		if errors.Is(err, io.EOF) {
			return services, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read exchange %d: %w", len(services)+1, err)
		}
		services[exchange.ID] = exchange.Service
	}
}
