package ui

import (
	"context"
	"encoding/json"
)

// iconPath returns the paths of an icon, on a ground of 16 by 16, parted by |.
func iconPath(name string) string {
	switch name {
	case "overview":
		return "M2 13.500h12|M4 11V7|M8 11V3|M12 11V5.500"
	case "sessions":
		return "M5.500 7a2.250 2.250 0 1 0 0-4.500 2.250 2.250 0 0 0 0 4.500|M1.500 13.500c0-2.500 1.700-4 4-4s4 1.500 4 4|M10.500 3a2 2 0 0 1 0 4|M11.500 9.700c1.800.3 3 1.700 3 3.800"
	case "explorer":
		return "M2 3.500h12|M2 8h7|M2 12.500h5|M11.500 12.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4|M13 12l1.800 1.800"
	case "rules":
		return "M3 2.500h7l3 3v8H3z|M5.500 8h5|M5.500 10.500h3.500"
	case "context":
		return "M8 2l6 3-6 3-6-3z|M2 8l6 3 6-3|M2 11l6 3 6-3"
	case "limits":
		return "M8 1.800l5.500 2v4c0 3.400-2.300 5.600-5.500 6.500C4.800 13.400 2.500 11.200 2.500 7.800v-4z|M5.700 8l1.700 1.700 3-3.200"
	case "settings":
		return "M2 4.500h6|M11 4.500h3|M9.500 6a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3|M2 11.500h2|M7 11.500h7|M5.500 13a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3"
	case "search":
		return "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9|M10.300 10.300L14 14"
	case "plus":
		return "M8 3v10|M3 8h10"
	case "copy":
		return "M5.500 5.500h8v8h-8z|M10.500 5.500v-3h-8v8h3"
	case "download":
		return "M8 2v8|M4.800 7L8 10.200 11.200 7|M2.500 13.500h11"
	case "up":
		return "M8 13V3|M4 7l4-4 4 4"
	case "down":
		return "M8 3v10|M4 9l4 4 4-4"
	case "drag":
		return "M6 3v.01|M10 3v.01|M6 8v.01|M10 8v.01|M6 13v.01|M10 13v.01"
	case "edit":
		return "M11 2.500l2.500 2.500L6 12.500l-3.500 1 1-3.500z"
	case "delete":
		return "M3 4.500h10|M6.500 4.500v-2h3v2|M4.500 4.500l.5 9h6l.5-9"
	case "link":
		return "M6.500 9.500l3-3|M7 4.500l1-1a2.800 2.800 0 0 1 4 4l-1 1|M9 11.500l-1 1a2.800 2.800 0 0 1-4-4l1-1"
	case "menu":
		return "M2.500 4h11|M2.500 8h11|M2.500 12h11"
	case "play":
		return "M5 3l8 5-8 5z"
	case "pause":
		return "M5.500 3v10|M10.500 3v10"
	case "warn":
		return "M8 2.500l6 11H2z|M8 6.500v3.500|M8 12v.01"
	case "stop":
		return "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12|M4 4l8 8"
	default:
		return "M8 8v.01"
	}
}

// headers are the request fields that htmx adds.
func headers(ctx context.Context) string {
	text, err := json.Marshal(frameOf(ctx).Headers)
	if err != nil {
		return "{}" // texts are always JSON
	}
	return string(text)
}
