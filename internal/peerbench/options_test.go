package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse_takesWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-postgres", "postgres://db", "-only", "river, goqite", "-seconds", "0.5", "-rounds", "3", "-json"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{"postgres://db", []string{"river", "goqite"}, 500 * time.Millisecond, 3, true}, o)
}

func TestParse_measuresAllForFiveSecondsOnce(t *testing.T) {
	t.Parallel()
	o, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{window: 5 * time.Second, rounds: 1}, o)
}

func TestParse_saysWhichFlagIsWrong(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"-only redis":     `-only: "redis" is none of limits, river, goqite, pgboss`,
		"-only river,":    `-only: "" is none of`,
		"-seconds 0":      "-seconds must be 0.1 to 600",
		"-seconds NaN":    "-seconds must be 0.1 to 600",
		"-seconds 601":    "-seconds must be 0.1 to 600",
		"-rounds 0":       "-rounds must be 1 or more",
		"-rounds many":    "-rounds",
		"-postgress here": "-postgress",
		"postgres://db":   `"postgres://db" is no flag`,
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		require.ErrorContains(t, err, want, args)
	}
}

func TestParse_printsItsFlagsWhenAsked(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	_, err := parse([]string{"-help"}, &told)
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Contains(t, told.String(), "-rounds")
}

func TestReady_leavesOutWhatCannotBeMeasuredAndSaysSo(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	list, err := options{}.ready(t.Context(), &place{}, &told)
	require.NoError(t, err)
	require.Len(t, list, len(goqiteQueue()))
	require.Contains(t, told.String(), "river is left out: it needs -postgres URL")
}

func TestReady_refusesWhatWasAskedForByName(t *testing.T) {
	t.Parallel()
	_, err := options{only: []string{"goqite", "river"}}.ready(t.Context(), &place{}, io.Discard)
	require.EqualError(t, err, "river: it needs -postgres URL")
}

func TestReady_keepsToWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	list, err := options{only: []string{"goqite"}}.ready(t.Context(), &place{}, &told)
	require.NoError(t, err)
	require.Len(t, list, len(goqiteQueue()))
	require.Empty(t, told.String())
}

func TestRun_refusesAServerThatIsNoURL(t *testing.T) {
	t.Parallel()
	_, err := withDatabase("host=localhost dbname=postgres", "other")
	require.ErrorContains(t, err, "-postgres must be a URL")
}

func TestWithDatabase_keepsTheRestOfTheURL(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"postgres://me:pa%2Fss@db:5433/postgres?sslmode=disable": "postgres://me:pa%2Fss@db:5433/other?sslmode=disable",
		"postgresql://db": "postgresql://db/other",
	} {
		got, err := withDatabase(server, "other")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestNewEnough_readsNodesVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"v22.12.0\n": true, "v22.23.3": true, "v26.0.0": true,
		"v22.11.9": false, "v20.20.2": false, "": false, "node": false,
	} {
		require.Equal(t, want, newEnough(version), version)
	}
}

func TestParsePgBoss_readsItsLine(t *testing.T) {
	t.Parallel()
	rate, err := parsePgBoss([]byte("{\"jobsPerSecond\":1234.5}\n"))
	require.NoError(t, err)
	require.InDelta(t, 1234.5, rate, 0)
	_, err = parsePgBoss([]byte("Segmentation fault"))
	require.ErrorContains(t, err, "Segmentation fault")
	_, err = parsePgBoss([]byte(`{"jobsPerSecond":0}`))
	require.True(t, errors.Is(err, errDry))
}
