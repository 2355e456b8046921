package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seshat-project/seshat/internal/filter"
)

// takesFilter marks a command whose arguments make up a filter.
const takesFilter = "filter"

// negatedTerm is how an argument begins that is a term of a filter with a "-" for "not", rather than a flag: no flag
// has a colon or a parenthesis in its name.
const negatedTerm = `^-(?:[("]|([A-Za-z_][A-Za-z0-9_.-]*)[:(])`

// shieldNegated returns args in which the terms of a filter that begin with "-" are not taken for flags: they get a
// space before them, which a filter passes over. Arguments of other commands, values of flags, and what stands behind
// "--" stay as they are.
func shieldNegated(root *cobra.Command, args []string) []string {
	command, _, err := root.Find(args)
	if err != nil || command.Annotations[takesFilter] == "" {
		return args
	}
	term := regexp.MustCompile(negatedTerm)
	out := slices.Clone(args)
	for i := 0; i < len(out) && out[i] != "--"; i++ {
		arg := out[i]
		match := term.FindStringSubmatch(arg)
		switch {
		case match != nil && (isField(match[1]) || !beginsWithValueFlag(command, arg)):
			out[i] = " " + arg
		case awaitsValue(command, arg):
			i++
		}
	}
	return out
}

// isField reports whether a term can be about name; terms in parentheses or quotes are about none.
func isField(name string) bool {
	family, _, _ := strings.Cut(name, ".")
	for _, fields := range []*filter.Fields{filter.Sessions(), filter.Exchanges()} {
		if name == "" || fields.Lookup(name) != nil || fields.Lookup(family) != nil {
			return true
		}
	}
	return false
}

// beginsWithValueFlag reports whether arg can be a short flag with its value behind it, such as -oC:\out.har.
func beginsWithValueFlag(command *cobra.Command, arg string) bool {
	flag := shortFlag(command, arg[1])
	return flag != nil && flag.NoOptDefVal == ""
}

// awaitsValue reports whether arg is a flag whose value is the next argument.
func awaitsValue(command *cobra.Command, arg string) bool {
	if name, long := strings.CutPrefix(arg, "--"); long {
		flag := command.Flag(name)
		return flag != nil && flag.NoOptDefVal == ""
	}
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	for i := 1; i < len(arg); i++ {
		switch flag := shortFlag(command, arg[i]); {
		case flag == nil:
			return false
		case flag.NoOptDefVal == "": // what is behind it in the same argument is its value
			return i == len(arg)-1
		}
	}
	return false
}

func shortFlag(command *cobra.Command, letter byte) *pflag.Flag {
	if flag := command.Flags().ShorthandLookup(string(letter)); flag != nil {
		return flag
	}
	return command.InheritedFlags().ShorthandLookup(string(letter))
}
