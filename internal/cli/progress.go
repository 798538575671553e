package cli

import (
	"io"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far a phase is: done of total. It is nil where nobody looks.
type progress func(phase string, done, total int)

// progressOn shows how far each phase is, on a terminal only; clear takes it away.
func progressOn(w io.Writer) (tell progress, clear func()) {
	terminal, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(terminal.Fd()) {
		return nil, func() {}
	}
	var bar *progressbar.ProgressBar
	of := ""
	clear = func() {
		if bar != nil {
			_ = bar.Clear()
		}
	}
	return func(phase string, done, total int) {
		if bar == nil || of != phase {
			clear()
			of = phase
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(terminal),
				progressbar.OptionSetDescription(phase), progressbar.OptionShowCount(), progressbar.OptionShowIts())
		}
		if bar.GetMax() != total {
			bar.ChangeMax(total)
		}
		_ = bar.Set(min(done, total))
	}, clear
}
