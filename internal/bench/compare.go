package bench

import (
	"cmp"
	"slices"
)

// rounds are taken in turn, so that what disturbs the machine disturbs both.
const rounds = 3

// compare measures two things in turn, the one as the first of a round and then
// the other, and returns the median of each, the second with its ratio.
func compare(base, other func() (Phase, error)) (median, compared Phase, err error) {
	var bases, others []Phase
	for round := range rounds {
		pair := []func() error{into(&bases, base), into(&others, other)}
		if round%2 == 1 {
			slices.Reverse(pair)
		}
		for _, do := range pair {
			if err := do(); err != nil {
				return Phase{}, Phase{}, err
			}
		}
	}
	median, compared = middle(bases), middle(others)
	ratio := compared.JobsPerSecond / median.JobsPerSecond
	compared.Ratio = &ratio
	return median, compared, nil
}

// into has a measurement add to a list.
func into(list *[]Phase, measure func() (Phase, error)) func() error {
	return func() error {
		p, err := measure()
		*list = append(*list, p)
		return err
	}
}

// middle is the phase of middling speed.
func middle(phases []Phase) Phase {
	slices.SortFunc(phases, func(a, b Phase) int { return cmp.Compare(a.JobsPerSecond, b.JobsPerSecond) })
	return phases[len(phases)/2]
}
