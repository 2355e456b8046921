package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  seshat version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, versionText(debug.ReadBuildInfo()))
			return err
		},
	}
}

// versionText is the version of the module, the commit it was built from, and what with.
func versionText(info *debug.BuildInfo, ok bool) string {
	version, commit := "unknown", ""
	if ok {
		version = info.Main.Version
		var modified bool
		for _, setting := range info.Settings {
			switch setting.Key {
			case "vcs.revision":
				commit = setting.Value[:min(len(setting.Value), 12)]
			case "vcs.modified":
				modified = setting.Value == "true"
			}
		}
		if commit != "" && modified {
			commit += " (modified)"
		}
	}
	text := "seshat " + version
	if commit != "" {
		text += " " + commit
	}
	return text + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

// version is the version of the module alone.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
