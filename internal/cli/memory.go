package cli

import (
	"os"
	"runtime/debug"
)

// roomToGrow is how much a server may allocate, in percent of what it keeps,
// before its garbage is collected. It keeps a few megabytes, and with Go's 100
// it would collect many times a second when it is busy, for a sixth of its work.
const roomToGrow = 400

// growFreely lets the process of a server, which is ours alone, take more memory for
// less work, unless its environment says how it wants that.
func growFreely() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(roomToGrow)
	}
}
