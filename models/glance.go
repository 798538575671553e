package models

import "time"

// Glance is how things are, for people who wait: what has not ended as it is
// now, and what has ended as it was counted last.
type Glance struct {
	Stats
	Workers   int        // that are there, with a name
	CountedAt *time.Time // since when what ended may have become more; nil when it is of now
	Counting  bool       // what ended is not counted yet, and left out
}
