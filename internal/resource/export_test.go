package resource

import "bytes"

// DocumentsAsJSON reads the documents in data, whatever is in them, and prints each as JSON.
func DocumentsAsJSON(file string, data []byte) [][]byte {
	documents, _ := readDocuments(file, data)
	out := make([][]byte, len(documents))
	for i, document := range documents {
		var b bytes.Buffer
		writeJSON(&b, document)
		out[i] = b.Bytes()
	}
	return out
}
