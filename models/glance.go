package models

import "time"

// Glance is how things are, for people who wait. What is quick to count is as
// it is now, the rest as it was counted last.
type Glance struct {
	Stats
	Workers       int        // that are there, with a name
	OpenAt        *time.Time // when what has not ended was counted; nil when that is now
	EndedAt       *time.Time // when what has ended was counted; nil when that is now
	Counting      bool       // what has not ended is not counted yet, and left out
	CountingEnded bool       // what has ended is not
}
