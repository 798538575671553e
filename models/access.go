package models

import "strings"

// Level is what somebody may do. Each level but the lowest holds others: to
// work and to operate are each more than to read, neither holds the other, and
// an administrator may do everything. Who works and operates has both:
// LevelWork | LevelOperate. The zero value may do nothing.
type Level uint8

// The levels.
const (
	LevelRead    Level = 1                            // see jobs, batches, pipelines, workers and statistics
	LevelWork    Level = 2 | LevelRead                // acquire, report on, finish and give back jobs
	LevelOperate Level = 4 | LevelRead                // create, edit, cancel, retry, recover, start, order, hold
	LevelAdmin   Level = 8 | LevelWork | LevelOperate // delete and prune as well, and act on all that match
	levelsKnown  Level = LevelAdmin
)

// Access is who asks, and what they may do.
type Access struct {
	// Level is what they may do. The zero value: nothing.
	Level Level
	// As names the person or program, for logs and the history. May be empty.
	As string
}

// Allows reports whether l holds all of needed. Nothing allows the zero Level,
// which is what was forgotten.
func (l Level) Allows(needed Level) bool { return needed != 0 && l&needed == needed }

// Known reports whether l is a level, or several: any but the zero value and
// numbers that are none.
func (l Level) Known() bool {
	known := l&LevelRead != 0 && l&^levelsKnown == 0
	return known && (l&8 == 0 || l == LevelAdmin)
}

// String returns the level as a word: "none", "read", "work", "operate",
// "admin", or "work+operate".
func (l Level) String() string {
	switch {
	case l&LevelAdmin == LevelAdmin:
		return "admin"
	case l&LevelRead == 0:
		return "none"
	}
	var words []string
	if l.Allows(LevelWork) {
		words = append(words, "work")
	}
	if l.Allows(LevelOperate) {
		words = append(words, "operate")
	}
	if len(words) == 0 {
		return "read"
	}
	return strings.Join(words, "+")
}
