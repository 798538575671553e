package models

import "time"

// MetricWindows are how far metrics look back.
var MetricWindows = []string{"1h", "24h", "30d"}

// Metrics is what ended within a window, over time: a point for each of 60
// minutes, 96 quarters of an hour or 120 quarters of a day, of which the last one
// is the present.
type Metrics struct {
	Window      string        `json:"window" enum:"1h,24h,30d" doc:"How far back it looks."`
	Type        string        `json:"type,omitempty" doc:"The type it is about; without one, all."`
	StepSeconds int           `json:"stepSeconds" doc:"What a point stands for."`
	Total       Tally         `json:"total" doc:"Of the whole window."`
	Points      []MetricPoint `json:"points" doc:"By time, without gaps."`
}

// MetricPoint is what ended within one step of a window.
type MetricPoint struct {
	From  time.Time `json:"from" doc:"When the step began."`
	Tally Tally     `json:"tally" doc:"What ended in it."`
}

// Tally counts jobs by how they ended, and how long they waited and ran, which
// is exact to a tenth.
type Tally struct {
	Successful int64 `json:"successful"`
	Failed     int64 `json:"failed" doc:"For good: attempts that are tried again are not counted."`
	Cancelled  int64 `json:"cancelled"`

	WaitP50 *float64 `json:"waitP50" doc:"Half of the jobs waited at most so many seconds, from when they were created, or due if that was later, until they were started last. Null when none was started."`
	WaitP95 *float64 `json:"waitP95" doc:"The same of 95 of 100."`
	RunP50  *float64 `json:"runP50" doc:"Half of the jobs ran at most so many seconds, from their last start to their end."`
	RunP95  *float64 `json:"runP95" doc:"The same of 95 of 100."`
}

// Ended is how many jobs ended.
func (t Tally) Ended() int64 { return t.Successful + t.Failed + t.Cancelled }
