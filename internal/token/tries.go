package token

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	freeTries    = 5                // with unknown tokens that cost an address nothing
	longestPause = time.Minute      // between those after them, which doubles from a second
	forgetAfter  = 15 * time.Minute // without one
	addresses    = 10_000           // that are remembered
)

// tries slows down who tries tokens, by address. What has been let in from an
// address before is let in there still, as it is no guess.
type tries struct {
	mu     sync.Mutex
	failed *simplelru.LRU[netip.Addr, failures]
	good   *simplelru.LRU[place, struct{}]
}

type failures struct {
	n    int
	last time.Time
}

// place is a token that was used at an address.
type place struct {
	at    netip.Addr
	token int
}

func newTries() (*tries, error) {
	failed, err := simplelru.NewLRU[netip.Addr, failures](addresses, nil)
	if err != nil {
		return nil, err
	}
	good, err := simplelru.NewLRU[place, struct{}](addresses, nil)
	return &tries{failed: failed, good: good}, err
}

// take counts a try with the token of an index, -1 for an unknown one. It
// returns how long the address has to wait before it may try, 0 when this try counts.
func (t *tries) take(at netip.Addr, token int, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, is := t.good.Get(place{at, token}); is {
		return 0
	}
	f, _ := t.failed.Get(at)
	if now.Sub(f.last) > forgetAfter {
		f = failures{}
	}
	if wait := f.last.Add(pause(f.n)).Sub(now); wait > 0 {
		return wait
	}
	if token >= 0 {
		t.good.Add(place{at, token}, struct{}{})
		return 0
	}
	t.failed.Add(at, failures{f.n + 1, now})
	return 0
}

// pause is how long to wait after n tries that failed.
func pause(n int) time.Duration {
	if n < freeTries {
		return 0
	}
	return min(time.Second<<min(n-freeTries, 10), longestPause)
}

// addressOf is where a request comes from: what a proxy in front says when it
// came from a private address, which is one. Of IPv6 addresses a
// network counts as one, as everybody has as many of its addresses as they like.
func addressOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	at := from.Addr().Unmap()
	if err != nil || at.IsLoopback() || at.IsPrivate() {
		all := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		last := strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
		if told, err := netip.ParseAddr(last); err == nil {
			at = told.Unmap()
		}
	}
	if at.Is6() {
		network, _ := at.WithZone("").Prefix(64)
		at = network.Addr()
	}
	return at
}
