// Package assets holds the files that pages of the console load: style, scripts, pictures. They are part of the program,
// and nothing is loaded from elsewhere.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed files
var files embed.FS

// Prefix is where the files are served.
const Prefix = "/assets/"

// Set is the files under names that change with what is in them, so that browsers may keep them for good.
type Set struct {
	version string
	files   map[string]file
}

type file struct {
	contentType   string
	plain, packed []byte
}

// Load reads the files that are part of the program, and compresses them once.
func Load() (*Set, error) {
	s := &Set{files: map[string]file{}}
	all := sha256.New()
	err := fs.WalkDir(files, "files", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		packed, err := compress(text)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, "files/")
		_, _ = fmt.Fprintf(all, "%s %d\n", name, len(text)) // a hash takes everything
		_, _ = all.Write(text)
		s.files[name] = file{contentType: contentType(name), plain: text, packed: packed}
		return nil
	})
	s.version = hex.EncodeToString(all.Sum(nil)[:6])
	return s, err
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		return mime.TypeByExtension(path.Ext(name))
	}
}

func compress(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// URL is the address of a file. All files are in one folder, so that they may name each other without knowing it.
func (s *Set) URL(name string) string { return Prefix + s.version + "/" + name }

// ServeHTTP implements [http.Handler].
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	f, ok := s.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if version == s.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(f.packed) < len(f.plain) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may be gone
	}
}
