package account

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// minPassword is how many characters a password must have: longer than what is guessed through a rate limit, or from
	// a stolen digest at 64 MiB a guess.
	minPassword = 12
	// maxPassword is how many bytes it may have: a passphrase of any length, but no file.
	maxPassword = 256
	// minDistinct is how many different characters it must have.
	minDistinct = 5
	// minRest is how many characters must be left when everything that is guessed first is taken away: each word that
	// people choose counts for one character, and so does a row of the keyboard, of the alphabet, or of one character.
	minRest = 8
	// shortestPart is the shortest part of a user's name that must not be the better part of the password.
	shortestPart = 3
)

// commonWords are what people choose: the words of the passwords that are found most often in leaks, and those of this
// place. The longest must come first where one is the beginning of another.
var commonWords = []string{
	"correcthorsebatterystaple", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "pa55word", "kennwort", "passwd", "changeme", "administrator", "admin", "letmein",
	"welcome", "willkommen", "iloveyou", "monkey", "dragon", "football", "baseball", "superman", "batman", "sunshine", "princess",
	"master", "shadow", "trustno1", "starwars", "whatever", "michael", "jennifer", "charlie", "summer", "winter", "spring", "autumn",
	"qwertyuiop", "qwertzuiop", "azertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "zxcvbnm", "yxcvbnm", "1q2w3e4r5t", "1q2w3e4r", "q1w2e3r4", "zaq12wsx", "1qaz2wsx",
	"qazwsx", "secret", "geheim", "default", "guest", "login", "server", "company", "seshat", "console", "security", "hunter2", "abc123",
}

// checkPassword says what is wrong with a password for the user called name; "" when it may be used. What it says does not
// hold the password.
func checkPassword(password, name string) string {
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return "it has characters that cannot be typed everywhere"
	case utf8.RuneCountInString(password) < minPassword:
		return "it has fewer than 12 characters"
	case len(password) > maxPassword:
		return "it has more than 256 bytes"
	}
	lower := strings.ToLower(password)
	if distinct(lower) < minDistinct {
		return "it has fewer than 5 different characters"
	}
	for _, part := range nameParts(name) {
		// Where another word could stand in the name's place, the rest is what guards the account.
		if strings.Contains(lower, part) && remaining(strings.ReplaceAll(lower, part, "")) < minRest {
			return "it is little more than the name"
		}
	}
	if remaining(lower) < minRest {
		return "it is among the first that are guessed"
	}
	return ""
}

func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// nameParts are a name and the words in it.
func nameParts(name string) []string {
	var out []string
	for _, part := range append([]string{name}, strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...) {
		if utf8.RuneCountInString(part) >= shortestPart {
			out = append(out, strings.ToLower(part))
		}
	}
	return out
}

// guessed stands for a word that is guessed as a whole. No password has it: control characters are refused.
const guessed = "\x00"

// remaining is how many characters of a text somebody has to guess who tries common words, rows and repetitions first.
func remaining(text string) int {
	for _, word := range commonWords {
		text = strings.ReplaceAll(text, word, guessed)
	}
	runes := []rune(shortenRepeats(text))
	n := 0
	for i := 0; i < len(runes); n++ {
		end := i + 1
		// A row: each character follows the one before, in one direction, or is the same.
		for end < len(runes) && step(runes, end) == step(runes, i+1) && abs(step(runes, end)) <= 1 {
			end++
		}
		if end-i < shortestRow {
			end = i + 1
		}
		i = end
	}
	return n
}

// shortestRow is how many characters in a row are guessed as one: fewer happen by chance.
const shortestRow = 3

func step(runes []rune, i int) rune { return runes[i] - runes[i-1] }

func abs(r rune) rune {
	if r < 0 {
		return -r
	}
	return r
}

// shortenRepeats is the shortest text that repeated makes text: "abcabcabc" is "abc".
func shortenRepeats(text string) string {
	for length := 1; length <= len(text)/2; length++ {
		if unit := text[:length]; strings.HasPrefix(strings.Repeat(unit, len(text)/length+1), text) {
			return unit
		}
	}
	return text
}
