package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/resource"
)

// resourceFiles is the flag --file of the commands that read resources.
type resourceFiles struct{ files []string }

func (f *resourceFiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.files, "file", "f", nil,
		"`file` with resources, a directory of such files, or - for standard input; may be repeated")
}

// readResources reads the resources in files; - is standard input, a directory stands for the YAML and JSON files in it.
func (a *app) readResources(files []string) ([]resource.Parsed, error) {
	if len(files) == 0 {
		return nil, usageError("", "no file was named", "for example -f rules.yaml, or -f - for standard input")
	}
	var parsed []resource.Parsed
	var faults seshat.Faults
	for _, file := range files {
		inside, err := expand(file)
		if err != nil {
			return nil, err
		}
		for _, name := range inside {
			data, err := a.readInput(name, resource.MaxInput)
			if err != nil {
				return nil, err
			}
			p, f := resource.Parse(name, data)
			if len(p) == 0 && len(f) == 0 {
				f = seshat.Faults{{File: name, Message: "there is no resource in it"}}
			}
			parsed, faults = append(parsed, p...), append(faults, f...)
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return parsed, nil
}

// expand returns the files that name stands for.
func expand(name string) ([]string, error) {
	if name == "-" {
		return []string{name}, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, readError(name, err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var out []string
	for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
		found, err := filepath.Glob(filepath.Join(name, pattern))
		if err != nil {
			return nil, readError(name, err)
		}
		out = append(out, found...)
	}
	if len(out) == 0 {
		return nil, readError(name, errors.New("the directory holds no .yaml, .yml or .json file"))
	}
	slices.Sort(out)
	return out, nil
}

// readInput reads a whole small file; - is standard input.
func (a *app) readInput(name string, limit int64) ([]byte, error) {
	in := a.stdin
	if name != "-" {
		file, err := os.Open(name) //nolint:gosec // the user named it
		if err != nil {
			return nil, readError(name, err)
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, readError(name, err)
	}
	if int64(len(data)) > limit {
		return nil, readError(name, fmt.Errorf("more than %d MiB", limit>>20))
	}
	return data, nil
}

func readError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the name is said already
	}
	return &seshat.Error{Kind: seshat.ErrorInvalid, Op: "read " + name, Err: err}
}
