package httpfield

import "time"

// parseCookieDate reads a date by the algorithm of RFC 6265, section 5.1.1: tokens in any order, of which the first
// that looks like a time, a day of the month, a month and a year counts. Weekdays and time zones mean nothing.
func parseCookieDate(s string) (time.Time, bool) {
	var d cookieDate
	for i := 0; i < len(s); {
		if isDateDelimiter(s[i]) {
			i++
			continue
		}
		start := i
		for i < len(s) && !isDateDelimiter(s[i]) {
			i++
		}
		d.add(s[start:i])
	}
	return d.time()
}

func isDateDelimiter(c byte) bool {
	return c == '\t' || ' ' <= c && c <= '/' || ';' <= c && c <= '@' || '[' <= c && c <= '`' || '{' <= c && c <= '~'
}

type cookieDate struct {
	hasTime, hasDay, hasMonth, hasYear      bool
	hour, minute, second, day, month, years int
}

// add takes token for the first thing that is missing and that it looks like.
func (d *cookieDate) add(token string) {
	if !d.hasTime {
		if d.hasTime = d.addTime(token); d.hasTime {
			return
		}
	}
	n, digits := leadingNumber(token)
	if !d.hasDay && digits >= 1 && digits <= 2 {
		d.day, d.hasDay = n, true
		return
	}
	if !d.hasMonth && len(token) >= 3 {
		if d.month = monthNumber(token[:3]); d.month > 0 {
			d.hasMonth = true
			return
		}
	}
	if !d.hasYear && digits >= 2 && digits <= 4 {
		d.years, d.hasYear = n, true
	}
}

// addTime reads "h:m:s" with one or two digits each, and anything but a digit behind it.
func (d *cookieDate) addTime(token string) bool {
	var fields [3]int
	for i := range fields {
		n, digits := leadingNumber(token)
		if digits < 1 || digits > 2 {
			return false
		}
		fields[i], token = n, token[digits:]
		if i < 2 {
			if token == "" || token[0] != ':' {
				return false
			}
			token = token[1:]
		}
	}
	d.hour, d.minute, d.second = fields[0], fields[1], fields[2]
	return true
}

func (d *cookieDate) time() (time.Time, bool) {
	if !d.hasTime || !d.hasDay || !d.hasMonth || !d.hasYear {
		return time.Time{}, false
	}
	year := d.years
	switch {
	case year <= 69:
		year += 2000
	case year <= 99:
		year += 1900
	}
	if year < 1601 || d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	return t, d.day >= 1 && t.Day() == d.day // February 30 would have moved on to March
}

// leadingNumber returns the number that s starts with, and how many digits it has. More than 5 digits count as 5:
// no field has so many.
func leadingNumber(s string) (n, digits int) {
	for digits < len(s) && digits < 5 && '0' <= s[digits] && s[digits] <= '9' {
		n = n*10 + int(s[digits]-'0')
		digits++
	}
	return n, digits
}

// monthNumber returns 1 to 12 for the first three letters of an English month, and otherwise 0.
func monthNumber(s string) int {
	const months = "janfebmaraprmayjunjulaugsepoctnovdec"
	for i := 0; i < len(months); i += 3 {
		if EqualFold(s, months[i:i+3]) {
			return i/3 + 1
		}
	}
	return 0
}
