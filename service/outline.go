package service

import (
	"context"
	"slices"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/models"
)

// jobsOfALane is how many jobs of one batch an outline has at most.
const jobsOfALane = 100

// OutlineBounds are how much of a pipeline an outline has.
type OutlineBounds struct {
	Steps int // the first ones; 0 is all
	Jobs  int // of all its batches together, about: the first ones of each, 100 at most; 0 is none
}

// Outline is a pipeline as a page shows it: what its jobs got and gave is left out.
type Outline struct {
	models.Pipeline
	Steps         []OutlinedStep
	StepCount     int // of all
	DoneStepCount int // of all
	Next          int // which step is the first that is not done, from 1; 0 when all are
}

// OutlinedStep is one step of an outline.
type OutlinedStep struct {
	models.StepDetail      // its jobs are without input, output and processingInfo
	MoreJobs          bool // its batch has more than are there
	Movable           bool // nobody has begun it, and the pipeline takes steps
}

// OutlinePipeline is [Service.Pipeline] for people: however large a pipeline and
// its jobs are, it reads what a page shows.
func (s *Service) OutlinePipeline(ctx context.Context, id int64, most OutlineBounds) (*Outline, error) {
	if err := checkID("pipeline", id); err != nil {
		return nil, err
	}
	var o *Outline
	err := s.store.Snapshot(ctx, func(tx *store.Tx) error {
		pipeline, err := tx.Pipeline(id)
		if err != nil {
			return err
		}
		steps, err := tx.Steps(id)
		if err != nil {
			return err
		}
		o = outlineOf(pipeline, steps)
		if most.Steps > 0 && len(steps) > most.Steps {
			steps = steps[:most.Steps]
		}
		o.Steps, err = outlinedSteps(tx, pipeline, steps, most.Jobs)
		return err
	})
	return o, err
}

func outlineOf(pipeline *models.Pipeline, steps []models.Step) *Outline {
	o := &Outline{Pipeline: *pipeline, StepCount: len(steps)}
	for i := range steps {
		if steps[i].Status == models.StepDone {
			o.DoneStepCount++
		} else if o.Next == 0 {
			o.Next = i + 1
		}
	}
	return o
}

func outlinedSteps(tx *store.Tx, pipeline *models.Pipeline, steps []models.Step, jobs int) ([]OutlinedStep, error) {
	each := 0 // of a batch
	details, err := stepDetails(steps, reading{
		tx.LeanJobsWithID,
		func(ids ...int64) ([]models.Job, error) {
			if jobs == 0 {
				return nil, nil
			}
			each = min(jobsOfALane, max(1, jobs/len(ids)))
			return tx.FirstJobsOfBatch(ids, each+1) // one more tells whether there are more
		},
		tx.BatchesWithID,
	})
	outlined := make([]OutlinedStep, len(details))
	for i := range details {
		o := OutlinedStep{StepDetail: details[i], Movable: pipeline.TakesSteps() && movable(&details[i])}
		if o.Batch != nil && len(o.Batch.Jobs) > each {
			o.MoreJobs = true
			o.Batch.Jobs = o.Batch.Jobs[:each]
		}
		outlined[i] = o
	}
	return outlined, err
}

// inputsAtOnce is how many inputs are read at a time.
const inputsAtOnce = 50

// JobInputs reads inputs of jobs for a page, in the order of the ids, until they are
// more than so many characters together. Those of more than so many each are left
// out; of a job that has none there is nil.
func (s *Service) JobInputs(ctx context.Context, ids []int64, each, together int) (map[int64]models.JSON, error) {
	read := map[int64]models.JSON{}
	err := s.store.Read(ctx, func(tx *store.Tx) error {
		for part := range slices.Chunk(ids, inputsAtOnce) {
			found, err := tx.ShortInputs(part, each)
			if err != nil {
				return err
			}
			for _, id := range part {
				input, short := found[id]
				if together -= len(input); together < 0 {
					return nil
				}
				if short {
					read[id] = input
				}
			}
		}
		return nil
	})
	return read, err
}
