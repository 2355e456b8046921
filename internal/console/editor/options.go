package editor

// Option is a choice of a select element.
type Option struct{ Value, Name string }

// Sides are the halves of an exchange, with what counts when nothing is chosen.
func Sides(normal string) []Option {
	return []Option{{"", normal}, {"request", "the request"}, {"response", "the response"}}
}

// places are the locations that there are for a purpose.
func places(p Purpose) []Option {
	out := []Option{
		{locationHeader, "header"},
		{locationCookie, "cookie"},
		{locationQuery, "query parameter"},
		{locationPathSegment, "path segment"},
		{locationPathParameter, "path parameter (;name=value)"},
		{locationBody, "body"},
	}
	switch p {
	case ToCheck:
		return append(out, Option{locationStatus, "status"}, Option{locationClientIP, "client IP"}, Option{locationUserAgent, "user agent"}, Option{locationJA4, "TLS JA4"})
	case ToExtract:
		return append(out, Option{locationClientIP, "client IP"}, Option{locationUserAgent, "user agent"}, Option{locationJA4, "TLS JA4"})
	case ToExpire:
		return []Option{{locationBody, "body"}, {locationHeader, "header"}, {locationCookie, "cookie (Set-Cookie)"}}
	default:
		return []Option{
			{locationHeader, "header"},
			{locationCookie, "cookie"},
			{locationQuery, "query parameter"},
			{locationPathParameter, "path parameter (;name=value)"},
			{locationBody, "body"},
		}
	}
}

// comparisons are the operators; keys are compared with something, values need not be.
func comparisons(key bool) []Option {
	var out []Option
	if !key {
		out = append(out, Option{"", "anything"})
	}
	for _, o := range operators() {
		name := o.words
		if o.name == "matches" || o.name == "notMatches" {
			name += " (RE2)"
		}
		out = append(out, Option{o.name, name})
	}
	if key {
		out = append(out, Option{"", "any name"})
	}
	return out
}

// steps are the transformations.
func steps() []Option {
	return []Option{
		{kindRegex, "take a group of an expression"},
		{kindBase64Decode, "decode Base64"},
		{kindJSONPath, "take a value of JSON"},
		{kindJWTClaim, "take a claim of a JWT"},
		{kindURLDecode, "decode URL encoding"},
		{kindLowercase, "lower-case"},
		{kindHash, "hash"},
	}
}

// offered are the options with the one that is chosen, also when it is none of them.
func offered(options []Option, chosen string) []Option {
	for _, o := range options {
		if o.Value == chosen {
			return options
		}
	}
	if chosen == "" {
		return options
	}
	return append(options[:len(options):len(options)], Option{chosen, chosen})
}
