package test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// maxPicture is how many bytes a picture of the README may have: everybody who looks at it loads three of them.
const maxPicture = 250 << 10

// TestScreenshots takes the pictures of the README, and writes them into the folder that SESHAT_PICTURES names, if it does: see
// make screenshots. The demonstration tells the same story each time, though not at the same moment.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SESHAT_PICTURES")
	if folder == "" {
		folder = t.TempDir() // what the pictures show is there, and they are not too large
	}
	d, _ := demo(t, "--pace", "100ms", "--seed", "1")
	for _, chapter := range []string{"erin reads the orders of others", "makes up sessions", "guesses passwords", "token was refreshed", "A cookie was stolen"} {
		d.said(chapter)
	}
	stolen := d.said(`revoke ([0-9a-f-]{36}) `)
	b := browse(t, d.api)
	b.visit(d.said(`(https?://\S+/sign-in\?code=\S+)`))
	b.clickAway("form button[type=submit]") // the link of the demonstration makes nobody an administrator, but lets its owner in
	b.until("the overview is there", `location.pathname === "/" && document.querySelector("nav.nav")`)
	b.dark(false)
	b.size(desktopWidth, desktopHeight)

	b.visit("/sessions/" + stolen)
	b.sees("The same session from another network")
	b.picture(folder, "session")

	b.visit("/rules")
	b.until("the rules are counted", `document.querySelector("tbody tr") && !document.querySelector(".htmx-request")`)
	b.picture(folder, "rules")

	b.visit("/")
	b.until("the page is live", `document.getElementById("live")?.textContent === "live"`)
	b.until("the users are counted", `document.querySelectorAll("#top li, #top tbody tr").length > 3`)
	b.until("active sessions are counted", `/^[0-9]/.test(document.getElementById("active").innerText.trim())`)
	b.picture(folder, "overview")
}

// picture writes what the window shows, in at most 256 colours.
func (b *tab) picture(folder, name string) {
	b.t.Helper()
	b.until(name+" is drawn", `document.fonts.status === "loaded" && !document.querySelector(".htmx-request, .toast")`)
	var shot []byte
	b.do("take a picture", chromedp.CaptureScreenshot(&shot))
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, paletted(full)); err != nil {
		b.t.Fatal(err)
	}
	if out.Len() > maxPicture {
		b.t.Errorf("%s has %d bytes, more than %d", name, out.Len(), maxPicture)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), out.Bytes(), 0o644); err != nil { //nolint:gosec // everybody may look at it
		b.t.Fatal(err)
	}
	b.t.Logf("%s: %d kB", name, out.Len()>>10)
}

// paletted is a picture in the 256 colours that it has most of: pages have few, and shades of letters between them.
func paletted(full image.Image) *image.Paletted {
	counts := map[color.RGBA]int{}
	bounds := full.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	colours := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return int(a.R)<<16 + int(a.G)<<8 + int(a.B) - int(b.R)<<16 - int(b.G)<<8 - int(b.B)
	})
	const most = 256
	var palette color.Palette
	for _, c := range colours[:min(most, len(colours))] {
		palette = append(palette, c)
	}
	index := map[color.RGBA]uint8{}
	for _, c := range colours {
		index[c] = uint8(palette.Index(c)) //nolint:gosec // there are 256
	}
	out := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			out.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	return out
}
