// Package resource is the written form of declared configuration: it reads resources from YAML and JSON and reports
// every fault at once with its place, prints them back, describes the format as a JSON Schema, and keeps them, with
// their history, in a [Registry] over the key-value contract.
//
// What the fields mean is not decided here but where resources are compiled; [Validate] maps the faults that are
// found there to the lines they come from.
package resource
