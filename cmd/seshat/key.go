package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/protect"
	"github.com/seshat-project/seshat/internal/terminal"
)

func (a *app) keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Look after the keys of digests",
		Long: `Of a client session ID only a keyed digest and a masked form are kept. The key is made once, and is in the data
directory, in a file that only its owner can read. Whoever has it can check whether a known token occurs in the data;
nobody can get tokens out of digests.`,
		Example: `  seshat key list
  seshat key rotate`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.keyListCommand(), a.keyCreateCommand(), a.keyRotateCommand())
	return cmd
}

func (a *app) keyListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the keys, without what is secret of them",
		Long:    `List lists the IDs of the keys, the current one first, and when they were made.`,
		Example: `  seshat key list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			ring, err := protect.LoadKey(a.path(keyFile))
			if err != nil {
				return err
			}
			rows := a.screen().Rows([]terminal.Column{{Title: "KEY"}, {Title: "MADE"}, {Title: "USE"}})
			for i, key := range ring.Keys() {
				use := "finds what was stored before the rotation"
				if i == 0 {
					use = "current"
				}
				if err := rows.Add([]terminal.Cell{{Text: key.ID}, {Text: terminal.Time(key.Created)}, {Text: use}}); err != nil {
					return err
				}
			}
			return rows.Flush()
		},
	}
}

func (a *app) keyCreateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "create",
		Short: "Make the first key, to copy it to other instances",
		Long: `Create makes the file of keys when there is none. Nobody needs to: whatever needs a key makes it. Instances that act on the
same sessions need the same file, so that it is made before they start, and copied to each.`,
		Example: `  seshat key create --data /var/lib/seshat`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := os.MkdirAll(a.data, 0o700); err != nil {
				return &seshat.Error{
					Kind: seshat.ErrorUnavailable, Op: "make the data directory", Err: err, Hint: "choose one that you can write to with --data",
				}
			}
			ring, err := protect.LoadOrCreateKey(a.path(keyFile), a.now())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "%s in %s\n", ring.Keys()[0].ID, a.path(keyFile))
			return err
		},
	}
}

func (a *app) keyRotateCommand() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new key for digests",
		Long: `Rotate makes a new current key. Digests under it do not match those under the old one, so sessions that are going on
start anew with what is imported from then on. Old keys are kept, so that an ID can still be found in what was stored
before; --forget removes them.`,
		Example: `  seshat key rotate
  seshat key rotate --forget`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ring, err := protect.RotateKey(a.path(keyFile), a.now())
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "key %s is current\n", ring.Current().ID)
			if c, err := a.running(cmd.Context(), 0); err == nil && c != nil {
				_ = c.Close() // nothing was asked
				a.note("The running instance goes on with the old key until it is started again.")
			}
			if !forget {
				return nil
			}
			for _, old := range ring.Keys()[1:] {
				if _, err := protect.RemoveKey(a.path(keyFile), old.ID); err != nil {
					return err
				}
				fmt.Fprintf(a.stdout, "key %s removed\n", old.ID)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "remove the old keys: IDs can no longer be found in older data")
	return cmd
}
