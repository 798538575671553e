package models

import "time"

// Transition is one change of a job's or pipeline's status, as it was committed
// with it.
type Transition struct {
	ID         int64     `gorm:"column:id;primaryKey" json:"id" doc:"Grows with time."`
	JobID      *int64    `gorm:"column:jobId" json:"jobId" doc:"The job that changed, or null."`
	PipelineID *int64    `gorm:"column:pipelineId" json:"pipelineId" doc:"The pipeline that changed, or null."`
	At         time.Time `gorm:"column:at" json:"at"`
	From       string    `gorm:"column:from" json:"from" doc:"The status it had; empty for what was created."`
	To         string    `gorm:"column:to" json:"to" doc:"The status it got; deleted for what was deleted."`
	Attempt    int       `gorm:"column:attempt" json:"attempt" doc:"The attempt of the job."`
	WorkerID   *string   `gorm:"column:workerId" json:"workerId" doc:"Whose the job was after it."`
	By         *string   `gorm:"column:by" json:"by" doc:"Who asked for it, where that is known. Not for what workers do."`
	Reason     *string   `gorm:"column:reason" json:"reason" doc:"Why, where somebody said so."`
}

// Deleted is where a [Transition] goes that deletes.
const Deleted = "deleted"

// TableName is the name of the table.
func (Transition) TableName() string { return "gnj_history" }
