package service_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/service"
)

func TestAs_namesWhoAsks(t *testing.T) {
	t.Parallel()
	require.Empty(t, service.Who(t.Context()))
	for given, name := range map[string]string{
		"Anna Müller":            "Anna Müller",
		"":                       "",
		"a\x00b\xffc\n\u202ed":   "abcd",
		strings.Repeat("é", 300): strings.Repeat("é", 255),
	} {
		require.Equal(t, name, service.Who(service.As(t.Context(), given)))
	}
	inner := service.As(service.As(t.Context(), "outer"), "inner")
	require.Equal(t, "inner", service.Who(inner))
}
