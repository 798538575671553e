package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/teamstarter/gnj/internal/storetest"
)

func ptr[T any](v T) *T { return &v }

// rounds is how often a race is run: fewer times under -short.
func rounds(n int) int {
	if testing.Short() {
		return (n + 4) / 5
	}
	return n
}

// another is a new, empty database of the same kind.
func another(t *testing.T, database string) string {
	t.Helper()
	if storetest.IsPostgres(database) {
		return storetest.Postgres(t)
	}
	return filepath.Join(t.TempDir(), "jobs.db")
}

// explained is an error with all its causes, which its message keeps to itself.
func explained(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for inner := unwrap(err); inner != nil; inner = unwrap(inner) {
		text += ": " + inner.Error()
	}
	return fmt.Errorf("%s: %w", text, err)
}

func unwrap(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()[0]
	}
	return errors.Unwrap(err)
}
