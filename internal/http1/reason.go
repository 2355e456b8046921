package http1

// Reason is why a message is refused. It is an error; OK is none, and [Reason.Err] makes it nil.
type Reason uint8

// The reasons. Incomplete is no fault: there is more to come.
const (
	OK Reason = iota
	Incomplete

	BadRequestLine
	BadMethod
	MethodNotSupported
	BadTarget
	TargetTooLong
	BadVersion
	VersionNotSupported

	HeadTooLong
	TooManyFields
	BareLF
	BareCR
	Folded
	SpaceBeforeColon
	NoColon
	BadFieldName
	BadFieldValue

	NoHost
	SeveralHosts
	BadHost
	HostDiffers

	BadContentLength
	SeveralContentLengths
	LengthAndChunked
	BadTransferEncoding
	SeveralTransferEncodings
	CodingNotSupported
	TransferEncodingIn10
	FramingNamedInConnection
	ConnectionOptions
	UnknownExpectation

	BadStatusLine

	BadChunkSize
	ChunkTooLarge
	BadChunkExtension
	ChunkExtensionsTooLong
	BadChunkEnd
	BadTrailer
	TrailersTooLong
	ForbiddenTrailer

	reasons // how many there are
)

// Reasons is how many values Reason has.
const Reasons = int(reasons)

// reasonTexts says of each reason its name, as metrics have it, what it means, and the status of a request refused so.
var reasonTexts = [...]struct {
	name, text string
	status     int
}{
	OK:                       {"ok", "nothing is wrong", 200},
	Incomplete:               {"incomplete", "the message is not complete", 400},
	BadRequestLine:           {"request_line", "the request line is not METHOD SP TARGET SP VERSION", 400},
	BadMethod:                {"method", "the method is not a token", 400},
	MethodNotSupported:       {"method_not_supported", "CONNECT and TRACE are not supported", 501},
	BadTarget:                {"target", "the request target is not valid", 400},
	TargetTooLong:            {"target_too_long", "the request line is too long", 414},
	BadVersion:               {"version", "the HTTP version is malformed", 400},
	VersionNotSupported:      {"version_not_supported", "only HTTP/1.0 and HTTP/1.1 are spoken here", 505},
	HeadTooLong:              {"head_too_long", "the header section is too long", 431},
	TooManyFields:            {"too_many_fields", "there are too many header fields", 431},
	BareLF:                   {"bare_lf", "a line ends with LF alone", 400},
	BareCR:                   {"bare_cr", "there is a CR without LF", 400},
	Folded:                   {"folded", "a header field is folded over several lines", 400},
	SpaceBeforeColon:         {"space_before_colon", "there is white space before a colon", 400},
	NoColon:                  {"no_colon", "a header line has no colon", 400},
	BadFieldName:             {"field_name", "a header field name is not a token", 400},
	BadFieldValue:            {"field_value", "a header field value has a control character", 400},
	NoHost:                   {"no_host", "the Host field is missing", 400},
	SeveralHosts:             {"several_hosts", "there is more than one Host field", 400},
	BadHost:                  {"host", "the Host field is not valid", 400},
	HostDiffers:              {"host_differs", "the request target and the Host field name different hosts", 400},
	BadContentLength:         {"content_length", "Content-Length is not a number", 400},
	SeveralContentLengths:    {"several_content_lengths", "there is more than one Content-Length", 400},
	LengthAndChunked:         {"length_and_chunked", "there are both Content-Length and Transfer-Encoding", 400},
	BadTransferEncoding:      {"transfer_encoding", "Transfer-Encoding is malformed", 400},
	SeveralTransferEncodings: {"several_transfer_encodings", "there is more than one Transfer-Encoding", 400},
	CodingNotSupported:       {"coding_not_supported", "the only transfer coding that is supported is chunked", 501},
	TransferEncodingIn10:     {"transfer_encoding_in_1_0", "HTTP/1.0 has no Transfer-Encoding", 400},
	FramingNamedInConnection: {"framing_in_connection", "the Connection field names a field that is not hop-by-hop", 400},
	ConnectionOptions:        {"connection_options", "the Connection field is malformed or has too many options", 400},
	UnknownExpectation:       {"expectation", "the only expectation that is supported is 100-continue", 417},
	BadStatusLine:            {"status_line", "the status line is malformed", 400},
	BadChunkSize:             {"chunk_size", "a chunk size is malformed", 400},
	ChunkTooLarge:            {"chunk_too_large", "a chunk size is too large", 400},
	BadChunkExtension:        {"chunk_extension", "a chunk extension is malformed", 400},
	ChunkExtensionsTooLong:   {"chunk_extensions_too_long", "chunk extensions are too long", 400},
	BadChunkEnd:              {"chunk_end", "a chunk does not end with CRLF", 400},
	BadTrailer:               {"trailer", "a trailer field is malformed", 400},
	TrailersTooLong:          {"trailers_too_long", "the trailer section is too long", 431},
	ForbiddenTrailer:         {"forbidden_trailer", "a trailer field may not be sent as a trailer", 400},
}

// Name is a short name in lower case, for metrics.
func (r Reason) Name() string {
	if int(r) < len(reasonTexts) {
		return reasonTexts[r].name
	}
	return "unknown"
}

// Error is one sentence without anything of the message in it. It may be shown to the client.
func (r Reason) Error() string {
	if int(r) < len(reasonTexts) {
		return reasonTexts[r].text
	}
	return "unknown reason"
}

// Status is what a request that is refused is answered with.
func (r Reason) Status() int {
	if int(r) < len(reasonTexts) {
		return reasonTexts[r].status
	}
	return 400
}

// Err returns r as an error, and nil for OK.
func (r Reason) Err() error {
	if r == OK {
		return nil
	}
	return r
}
