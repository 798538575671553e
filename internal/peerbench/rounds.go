package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// figure is what was found by one measurement.
type figure struct {
	Name    string    `json:"name"`
	Clients int       `json:"clients"`
	Median  float64   `json:"jobsPerSecond"`
	Rounds  []float64 `json:"rounds"` // jobs a second, in the order measured
}

// rounds measures everything once, then everything once more, and so on: what
// else the machine does then falls on all alike.
func rounds(ctx context.Context, n int, list []measurement, p *place, told io.Writer) ([]figure, error) {
	figures := make([]figure, len(list))
	for round := range n {
		for i, m := range list {
			fmt.Fprintf(told, "round %d of %d: %s, %d\n", round+1, n, m.name, m.clients)
			rate, err := m.run(ctx, p, m.clients)
			if err != nil {
				return nil, fmt.Errorf("%s by %d: %w", m.name, m.clients, err)
			}
			figures[i].Name, figures[i].Clients = m.name, m.clients
			figures[i].Rounds = append(figures[i].Rounds, rate)
			figures[i].Median = median(figures[i].Rounds)
		}
	}
	return figures, nil
}

// median is the one in the middle, or between the two in the middle; 0 of none.
func median(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
