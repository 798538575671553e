package models

import "time"

// Windows are the times that reports look back.
var Windows = []string{"1h", "24h", "7d"}

// Failures is what failed of late, alike errors together.
type Failures struct {
	Groups []FailureGroup `json:"groups" doc:"The most frequent first."`
	Read   int            `json:"read" doc:"How many failed jobs were looked at."`
	Since  time.Time      `json:"since" doc:"Where the window begins."`
	Until  time.Time      `json:"until" doc:"Where it ends: now."`
	Cut    bool           `json:"cut" doc:"Whether there are more, older ones in the window that were not."`
}

// FailureGroup is failed jobs of one type whose errors are alike: they differ in
// numbers, ids and quoted parts only.
type FailureGroup struct {
	Type    string    `json:"type"`
	Error   string    `json:"error" doc:"The error, with what differs left out. GET /jobs lists the jobs of a group by its error and type."`
	Count   int       `json:"count"`
	First   time.Time `json:"first" doc:"When the first of them failed."`
	Last    time.Time `json:"last" doc:"When the last of them failed."`
	Example int64     `json:"example" doc:"The newest of them."`
	IDs     []int64   `json:"ids" doc:"The newest of them, at most 50."`
	Since   time.Time `json:"since" doc:"Where the window begins."`
}
