package models

// JobSuccessRating is how the jobs created on one day ended. It is computed
// when asked, over the last 30 days.
type JobSuccessRating struct {
	Day            string `gorm:"column:day;primaryKey" json:"day" doc:"The day the jobs were created, in UTC: YYYY/MM/DD."`
	SuccessRating  int    `gorm:"column:successRating" json:"successRating" doc:"Whole percent of the jobs that ended which were successful; 1000 when none ended."`
	SuccessfulJobs int    `gorm:"column:successfulJobs" json:"successfulJobs"`
	FailedJobs     int    `gorm:"column:failedJobs" json:"failedJobs"`
	TotalJobs      int    `gorm:"column:totalJobs" json:"totalJobs" doc:"Successful and failed jobs together."`
}

// TableName is upstream's name of the view.
func (JobSuccessRating) TableName() string { return "jobSuccessRating" }

// WorkerSuccessRating is what the workers of a type said of themselves in one
// hour, each status in whole percent. It is computed when asked, over the 360
// newest hours and types.
type WorkerSuccessRating struct {
	UUID             string `gorm:"column:uuid;primaryKey" json:"uuid" doc:"Names the hour and type; the same whenever it is asked."`
	WorkerType       string `gorm:"column:workerType" json:"workerType"`
	Timestamp        string `gorm:"column:timestamp" json:"timestamp" doc:"The hour in UTC: HH YYYY/MM/DD."`
	AvailableRating  int    `gorm:"column:availableRating" json:"availableRating"`
	ProcessingRating int    `gorm:"column:processingRating" json:"processingRating"`
	FailedRating     int    `gorm:"column:failedRating" json:"failedRating"`
	ExitedRating     int    `gorm:"column:exitedRating" json:"exitedRating"`
}

// TableName is upstream's name of the view.
func (WorkerSuccessRating) TableName() string { return "workerSuccessRating" }
