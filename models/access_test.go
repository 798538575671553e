package models_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/teamstarter/gnj/models"
)

func TestLevel_holdsOthers(t *testing.T) {
	t.Parallel()
	all := []models.Level{models.LevelRead, models.LevelWork, models.LevelOperate, models.LevelAdmin}
	for level, allowed := range map[models.Level][4]bool{
		0:                                      {false, false, false, false},
		models.LevelRead:                       {true, false, false, false},
		models.LevelWork:                       {true, true, false, false},
		models.LevelOperate:                    {true, false, true, false},
		models.LevelWork | models.LevelOperate: {true, true, true, false},
		models.LevelAdmin:                      {true, true, true, true},
		255:                                    {true, true, true, true},
	} {
		for i, needed := range all {
			assert.Equal(t, allowed[i], level.Allows(needed), "%s for %s", level, needed)
		}
		assert.False(t, level.Allows(0), "what was forgotten is for nobody, not for %s", level)
	}
}

func TestLevel_isAWord(t *testing.T) {
	t.Parallel()
	for level, word := range map[models.Level]string{
		0: "none", models.LevelRead: "read", models.LevelWork: "work", models.LevelOperate: "operate",
		models.LevelWork | models.LevelOperate: "work+operate", models.LevelAdmin: "admin",
	} {
		assert.Equal(t, word, level.String())
		assert.Equal(t, level != 0, level.Known(), word)
	}
	for _, number := range []models.Level{2, 4, 8, 6, 9, 11, 16, 255} {
		assert.False(t, number.Known(), "%d", number)
	}
}
