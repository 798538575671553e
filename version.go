package gnj

import "runtime/debug"

const modulePath = "github.com/teamstarter/gnj"

// Version is the version of this module in the running program, "(devel)" when
// it was built from its own source.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	if info.Main.Path == modulePath {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == modulePath {
			return dep.Version
		}
	}
	return "(unknown)"
}
