package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are what the command was asked for.
type options struct {
	postgres string        // URL of a server where databases may be created
	only     []string      // names of peers; none: all of them
	window   time.Duration // how long each figure is measured
	rounds   int
	json     bool
}

// parse reads the command line. It prints the flags to where, and returns
// flag.ErrHelp, when they are asked for.
func parse(args []string, where io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peerbench", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a mistake is told once, by the caller
	only := flags.String("only", "", "measure only these, separated by commas: "+strings.Join(peerNames(), ", "))
	seconds := flags.Float64("seconds", 5, "how long each figure is measured, 0.1 to 600")
	flags.StringVar(&o.postgres, "postgres", "", "URL of a PostgreSQL server; databases are created on it and dropped")
	flags.IntVar(&o.rounds, "rounds", 1, "measure everything so often, one after the other, and print the medians")
	flags.BoolVar(&o.json, "json", false, "print one line of JSON a figure instead of a table")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(where)
		flags.PrintDefaults()
		return o, err
	} else if err != nil {
		return o, fmt.Errorf("%w; see -help", err)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is no flag; see -help", flags.Arg(0))
	}
	if !(*seconds >= 0.1 && *seconds <= 600) {
		return o, errors.New("-seconds must be 0.1 to 600")
	}
	if o.rounds < 1 {
		return o, errors.New("-rounds must be 1 or more")
	}
	o.window = time.Duration(*seconds * float64(time.Second))
	var err error
	o.only, err = parseOnly(*only)
	return o, err
}

func parseOnly(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(peerNames(), name) {
			return nil, fmt.Errorf("-only: %q is none of %s", name, strings.Join(peerNames(), ", "))
		}
		names = append(names, name)
	}
	return names, nil
}

// ready returns what can be measured here. A peer that was asked for by name
// must be possible; any other is left out, and told is why.
func (o options) ready(ctx context.Context, p *place, told io.Writer) ([]measurement, error) {
	var list []measurement
	if o.postgres != "" {
		if err := p.describe(ctx, told); err != nil {
			return nil, err
		}
	}
	for _, peer := range peers() {
		asked := slices.Contains(o.only, peer.name)
		if len(o.only) > 0 && !asked {
			continue
		}
		err := peer.missing(ctx, o)
		if err != nil && asked {
			return nil, fmt.Errorf("%s: %w", peer.name, err)
		}
		if err != nil {
			fmt.Fprintf(told, "%s is left out: %v\n", peer.name, err)
			continue
		}
		list = append(list, peer.measurements...)
	}
	return list, nil
}
