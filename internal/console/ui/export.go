package ui

// holdsIDs reports whether files of a format have client session IDs as they are stored, which the permission to reveal is for.
func holdsIDs(format string) bool { return format == "csv" || format == "parquet" }
