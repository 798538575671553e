package service_test

import (
	"sync"
	"testing"
)

// atOnce calls fn n times at the same moment and waits for all.
func atOnce(n int, fn func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// rounds is how often a race is repeated.
func rounds(n int) int {
	if testing.Short() {
		return max(n/10, 2)
	}
	return n
}
