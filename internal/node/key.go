package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/kv"
	"github.com/seshat-project/seshat/internal/protect"
)

// keyEntry is where the ID of the digest key is that all nodes use. It says nothing of the key.
const keyEntry = "digest-key"

// loadKey reads the digest key, and sees to it that all nodes have the same: digests under different keys do not match,
// and sessions would fall apart without anybody noticing.
func (n *Node) loadKey(ctx context.Context, fleet kv.Store) error {
	known, err := fleet.Get(ctx, keyEntry)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return fmt.Errorf("look up the digest key of the fleet: %w", err)
	}
	if _, missing := os.Lstat(n.options.KeyFile); errors.Is(missing, fs.ErrNotExist) && err == nil && n.hasPeers() {
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "load the digest key " + n.options.KeyFile, Err: errors.New("there is none, and other nodes use one"),
			Hint: "copy the file from one of them",
		}
	}
	ring, errKey := protect.LoadOrCreateKey(n.options.KeyFile, n.options.Now())
	if errKey != nil {
		return errKey
	}
	id := ring.Keys()[0].ID
	switch {
	case err != nil:
		if _, err := fleet.Put(ctx, keyEntry, []byte(id), kv.None); errors.Is(err, kv.ErrConflict) {
			return n.loadKey(ctx, fleet) // another node was faster
		} else if err != nil {
			return fmt.Errorf("write down which digest key the fleet uses: %w", err)
		}
	case string(known.Value) != id && n.hasPeers():
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "load the digest key " + n.options.KeyFile,
			Err:  fmt.Errorf("it is %s, and other nodes use %s", id, known.Value),
			Hint: "copy the file from one of them",
		}
	case string(known.Value) != id: // it was rotated
		if _, err := fleet.Put(ctx, keyEntry, []byte(id), kv.Any); err != nil {
			return fmt.Errorf("write down which digest key is used: %w", err)
		}
	}
	n.digester = ring.Digester()
	n.Digester = n.digester
	return nil
}

// number is the number of this node, which stays the same when it is started again.
func (n *Node) number() (uint32, error) {
	if n.options.NodeFile == "" {
		return randomNumber(), nil
	}
	data, err := os.ReadFile(n.options.NodeFile)
	if err == nil {
		if v, err := strconv.ParseUint(strings.TrimSpace(string(data)), 16, 32); err == nil && v != 0 {
			return uint32(v), nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read the number of the node: %w", err)
	}
	v := randomNumber()
	if err := os.WriteFile(n.options.NodeFile, []byte(strconv.FormatUint(uint64(v), 16)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("write the number of the node: %w", err)
	}
	return v, nil
}

func randomNumber() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // it never fails
	return binary.BigEndian.Uint32(b[:]) | 1
}

// recorderEntry is where the node is written down that records.
const recorderEntry = "recorder"

// claimRecording sees to it that one node records a journal: it removes from the journal what it has stored, so that a
// second one would miss it without noticing. The claim outlives the process, because its store does.
func (n *Node) claimRecording(ctx context.Context, fleet kv.Store) error {
	if n.options.Store == nil || !n.hasPeers() || n.options.NodeFile == "" {
		return nil
	}
	number, err := n.number()
	if err != nil {
		return err
	}
	mine := strconv.FormatUint(uint64(number), 16)
	known, err := fleet.Get(ctx, recorderEntry)
	if errors.Is(err, kv.ErrNotFound) {
		if _, err = fleet.Put(ctx, recorderEntry, []byte(mine), kv.None); errors.Is(err, kv.ErrConflict) {
			return n.claimRecording(ctx, fleet) // another node was faster
		}
		known.Value = []byte(mine)
	}
	if err != nil {
		return fmt.Errorf("write down who records: %w", err)
	}
	if string(known.Value) != mine {
		return &seshat.Error{
			Kind: seshat.ErrorInvalid, Op: "record the journal",
			Err:  fmt.Errorf("node %s records it, and this is node %s", known.Value, mine),
			Hint: "set role: gateway here; to move the recording, bring the whole data directory, whose file \"node\" says who it is",
		}
	}
	return nil
}
