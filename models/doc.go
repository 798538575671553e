// Package models holds the nouns of GNJ: jobs, batches, pipelines, steps,
// holds and workers, with their statuses, the moves a status may make and the
// names of the errors.
//
// The structs are GORM models: a host application can read them with its own
// *gorm.DB. It should change them through the service only, because a row that
// is changed behind its back follows no rule.
package models
