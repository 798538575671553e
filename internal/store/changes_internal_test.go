package store

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

func TestChanges_areOneAJob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		done []ChangeKind
		want ChangeKind
	}{
		{[]ChangeKind{Created}, Created},
		{[]ChangeKind{Created, Updated, Updated}, Created},
		{[]ChangeKind{Updated, Updated}, Updated},
		{[]ChangeKind{Updated, Deleted}, Deleted},
		{[]ChangeKind{Deleted, Updated}, Deleted},
		{[]ChangeKind{Created, Updated, Deleted}, 0},
	} {
		var whole, parts Changes
		for i, kind := range c.done {
			job := &models.Job{Attempt: i}
			whole.note(kind, 1, job)
			var part Changes
			part.note(kind, 1, job)
			parts.Take(&part)
		}
		last := &models.Job{Attempt: len(c.done) - 1}
		require.Equal(t, []Change{{Kind: c.want, ID: 1, Job: last}}, whole.List, "%v", c.done)
		require.Equal(t, whole.List, parts.List, "%v", c.done)
	}
}

func TestChanges_areInTheOrderTheyCameIn(t *testing.T) {
	t.Parallel()
	var c Changes
	for range 3 {
		for id := range int64(5 * manyChanges) {
			c.note(Updated, 1000-id, nil)
		}
	}
	require.Len(t, c.List, 5*manyChanges)
	for i, change := range c.List {
		require.EqualValues(t, 1000-i, change.ID)
	}
}

// A column that is added to jobs must be copied, too.
func TestClone_sharesNothing(t *testing.T) {
	t.Parallel()
	job := &models.Job{}
	value := reflect.ValueOf(job).Elem()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Slice:
			field.Set(reflect.ValueOf(models.JSON(fmt.Sprint(i))))
		case reflect.String:
			field.SetString(fmt.Sprint(i))
		case reflect.Int, reflect.Int64:
			field.SetInt(int64(i))
		case reflect.Bool:
			field.SetBool(true)
		default:
			require.Equal(t, reflect.TypeFor[time.Time](), field.Type(), "how is it copied?")
		}
	}
	copied := clone(job)
	require.Equal(t, job, copied)
	other := reflect.ValueOf(copied).Elem()
	for i := range value.NumField() {
		switch field := value.Field(i); field.Kind() {
		case reflect.Pointer, reflect.Slice:
			require.NotEqual(t, field.Pointer(), other.Field(i).Pointer(), value.Type().Field(i).Name)
		}
	}
}
