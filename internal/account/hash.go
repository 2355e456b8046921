package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/seshat-project/seshat"
)

// Cost is what one digest of a password costs whoever makes it: Argon2id (RFC 9106).
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// DefaultCost is 64 MiB and three passes, the second choice of RFC 9106, section 4, on one thread: some 150 ms. Digests
// that were made at another cost are made anew when their user signs in.
func DefaultCost() Cost { return Cost{Memory: 64 << 10, Passes: 3, Threads: 1} }

const (
	saltBytes = 16 // RFC 9106, section 3.1
	hashBytes = 32
	// The bounds of what is read back: a record that somebody changed must not take all of the memory.
	maxMemory  = 1 << 20 // KiB
	maxPasses  = 64
	maxThreads = 16
	maxHash    = 256 // characters
	// maxHashing is how many digests are made at once. Each takes the memory of its cost: sign-ins never take more than
	// twice that, however many there are.
	maxHashing = 2
	// hashWait is how long a sign-in waits for its turn.
	hashWait = 5 * time.Second
)

var errHash = errors.New("it is no digest of a password")

// hasher makes and checks digests of passwords, some at a time.
type hasher struct {
	cost  Cost
	turn  chan struct{}
	dummy string // of no password, to be checked where there is no user
}

func newHasher(cost Cost) *hasher {
	h := &hasher{cost: cost, turn: make(chan struct{}, maxHashing)}
	h.dummy = encodeHash(cost, make([]byte, saltBytes), make([]byte, hashBytes))
	return h
}

// enter waits for a turn.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case h.turn <- struct{}{}:
		return func() { <-h.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, &seshat.Error{
			Kind: seshat.ErrorUnavailable, Op: "check a password", Err: errors.New("too many sign-ins at once"), Hint: "try again in a moment",
		}
	}
}

// hash returns the digest of a password, as it is kept.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return encodeHash(h.cost, salt, derive(h.cost, password, salt, hashBytes)), nil
}

// verify reports whether password is the one that kept is the digest of, and whether that should be made anew. An empty
// kept is the digest of no password, and takes as long.
func (h *hasher) verify(ctx context.Context, kept, password string) (good, outdated bool, err error) {
	none := kept == ""
	if none {
		kept = h.dummy
	}
	cost, salt, sum, err := decodeHash(kept)
	if err != nil {
		return false, false, err
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	same := subtle.ConstantTimeCompare(derive(cost, password, salt, uint32(len(sum))), sum) == 1
	return same && !none, cost != h.cost || len(salt) != saltBytes || len(sum) != hashBytes, nil
}

func derive(cost Cost, password string, salt []byte, length uint32) []byte {
	return argon2.IDKey([]byte(password), salt, cost.Passes, cost.Memory, cost.Threads, length)
}

// encodeHash writes a digest with all that made it, as the reference implementation of Argon2 does:
// "$argon2id$v=19$m=65536,t=3,p=1$SALT$DIGEST".
func encodeHash(cost Cost, salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.Memory, cost.Passes, cost.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// decodeHash reads what encodeHash writes. Its errors do not hold what was read.
func decodeHash(text string) (cost Cost, salt, sum []byte, err error) {
	parts := strings.Split(text, "$")
	if len(text) > maxHash || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return cost, nil, nil, errHash
	}
	fields := strings.Split(parts[3], ",")
	if len(fields) != 3 {
		return cost, nil, nil, errHash
	}
	memory, okM := bounded(fields[0], "m=", maxMemory)
	passes, okT := bounded(fields[1], "t=", maxPasses)
	threads, okP := bounded(fields[2], "p=", maxThreads)
	salt, errSalt := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	sum, errSum := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if !okM || !okT || !okP || errSalt != nil || errSum != nil || len(salt) < 8 || len(sum) < 16 || memory < 8*threads {
		return cost, nil, nil, errHash
	}
	return Cost{Memory: memory, Passes: passes, Threads: uint8(threads)}, salt, sum, nil
}

// bounded reads a number of 1 to most behind a name.
func bounded(text, name string, most uint64) (uint32, bool) {
	digits, found := strings.CutPrefix(text, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), found && err == nil && n > 0 && n <= most && strconv.FormatUint(n, 10) == digits
}
