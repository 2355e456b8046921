package sessions

import (
	"github.com/seshat-project/seshat/internal/api/wire"
	"github.com/seshat-project/seshat/internal/console/ui"
	"github.com/seshat-project/seshat/internal/console/web"
)

func viewLinks(saved []wire.SavedView) []ui.ViewLink { return web.ViewLinks(saved, "sessions") }
