package consoletest

import (
	"bytes"
	"context"
	"testing"

	"github.com/a-h/templ"
	"pgregory.net/rapid"

	"github.com/seshat-project/seshat"
	"github.com/seshat-project/seshat/internal/console/editor"
	"github.com/seshat-project/seshat/internal/console/manage"
	"github.com/seshat-project/seshat/internal/resource"
)

// RoundTrip checks that the form of a kind of resource says what the resource says: a resource is put into a form, shown,
// sent as a browser sends it and read, and is the same, unless the form says that it cannot hold it. Draw draws specs.
func RoundTrip(t *testing.T, p *manage.Pages, draw func(*rapid.T) seshat.Spec) {
	t.Helper()
	held := 0
	rapid.Check(t, func(t *rapid.T) {
		r := &seshat.Resource{APIVersion: seshat.APIVersion, Kind: p.Kind, Metadata: Metadata(t), Spec: draw(t)}
		before, err := resource.Marshal([]seshat.Resource{*r}, resource.FormatJSON)
		if err != nil {
			t.Fatal(err)
		}
		if _, faults := resource.Parse("", before); len(faults) > 0 {
			t.Skip("it is no resource")
		}
		f := p.Draft(r)
		if len(f.Lost()) > 0 {
			return
		}
		held++
		var html bytes.Buffer
		for _, part := range []templ.Component{
			editor.Metadata(f, false), editor.Flag(f, "spec.enabled", "", ""), p.Edit(f), editor.Details(f),
		} {
			if err := part.Render(context.Background(), &html); err != nil {
				t.Fatal(err)
			}
		}
		forms, err := Forms(html.String())
		if err != nil {
			t.Fatalf("the form is not well formed: %v\n%s", err, &html)
		}
		again, faults := p.Resource(editor.New(forms[""]))
		if len(faults) > 0 {
			t.Fatalf("%s\nhas faults: %v", before, faults)
		}
		after, err := resource.Marshal([]seshat.Resource{*again}, resource.FormatJSON)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Fatalf("%s\nbecomes\n%s\nby\n%v", before, after, forms[""])
		}
	})
	if held == 0 {
		t.Error("the form could hold none of the resources: the test says nothing")
	}
}
