package test

import (
	"fmt"
	"testing"
)

// TestFullDisk imports where no file may grow beyond some size, which is to the program what a full disk is: it says
// so and exits with 1, says truly how much it stored, and the same import completes when there is room.
func TestFullDisk(t *testing.T) {
	need(t, "bash", "gzip")
	capture := bigCapture(t, 5)
	free := fresh(t)
	want := free.importing(capture)
	for _, blocks := range []int{64, 600, 3000} { // of 1 KiB: while the database is made, in the first batch, later
		t.Run(fmt.Sprintf("%d KiB", blocks), func(t *testing.T) {
			s := fresh(t)
			const script = `trap '' XFSZ; ulimit -f "$1"; exec seshat --data "$2" import --output json "$3"`
			r := finish(t, shell(t, script, fmt.Sprint(blocks), s.data, capture), []string{"import"}).want(1)
			r.says("disk is full", "make room")
			stored := int64(0)
			if r.stdout != "" {
				stored = r.summary().Stored
			}
			got := s.importing(capture)
			if got.Read != want.Read || got.Stored+got.Duplicates != want.Read {
				t.Errorf("with room: %+v", got)
			}
			if got.Duplicates != stored {
				t.Errorf("it said that it stored %d exchanges, and had stored %d", stored, got.Duplicates)
			}
			if n := differ(grouped(free.grouping()), grouped(s.grouping())); n != 0 {
				t.Errorf("%d exchanges are grouped otherwise after a full disk", n)
			}
		})
	}
}
