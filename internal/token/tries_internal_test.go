package token

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/models"
)

const good = "0123456789abcdef"

// clocked is a guard whose time the test moves.
func clocked(t *testing.T) (*Guard, *time.Time) {
	t.Helper()
	g, err := New([]string{"work:" + good, "read:" + good + "2"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	g.now = func() time.Time { return now }
	return g, &now
}

func ask(g *Guard, address, secret string) error {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = address
	r.Header.Set("Authorization", "Bearer "+secret)
	_, err := g.Authorize(r)
	return err
}

func TestTries_whoTriesHasToWaitLongerEachTime(t *testing.T) {
	t.Parallel()
	g, now := clocked(t)
	const here = "192.0.2.1:1"
	for range freeTries {
		require.ErrorIs(t, ask(g, here, "x"), models.ErrUnauthorized)
	}
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		err := ask(g, here, "x")
		require.ErrorIs(t, err, models.ErrUnavailable)
		require.EqualError(t, err, fmt.Sprintf("too many unknown tokens came from this address; try again in %d s", seconds))
		require.ErrorIs(t, ask(g, here, good), models.ErrUnavailable, "a guess may be right and is not told so")
		require.NoError(t, ask(g, "192.0.2.2:1", good), "others are not slowed down")
		*now = now.Add(time.Duration(seconds) * time.Second)
		require.ErrorIs(t, ask(g, here, "x"), models.ErrUnauthorized)
	}
	*now = now.Add(longestPause)
	require.NoError(t, ask(g, here, good))
	*now = now.Add(forgetAfter + time.Second)
	for range freeTries {
		require.ErrorIs(t, ask(g, here, "x"), models.ErrUnauthorized, "it is forgotten")
	}
}

func TestTries_whatWasLetInIsLetInStill(t *testing.T) {
	t.Parallel()
	g, _ := clocked(t)
	const here = "192.0.2.1:1"
	require.NoError(t, ask(g, here, good))
	for range freeTries + 3 {
		_ = ask(g, here, "x")
	}
	require.ErrorIs(t, ask(g, here, "x"), models.ErrUnavailable)
	require.NoError(t, ask(g, here, good), "a worker behind the same address works on")
	require.ErrorIs(t, ask(g, here, good+"2"), models.ErrUnavailable, "another token may be a guess")
}

func TestTries_rememberSoManyAndNoMore(t *testing.T) {
	t.Parallel()
	tries, err := newTries()
	require.NoError(t, err)
	var at netip.Addr
	for i := range addresses + 100 {
		at = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		tries.take(at, -1, time.Now())
		tries.take(at, 0, time.Now())
	}
	require.Equal(t, addresses, tries.failed.Len())
	require.Equal(t, addresses, tries.good.Len())
	require.True(t, tries.failed.Contains(at), "the newest stay")
}

func TestAddressOf_isWhereARequestComesFrom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1", "", "192.0.2.1"},
		{"192.0.2.1:1", "198.51.100.7", "192.0.2.1"}, // anybody can say so
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.7", "198.51.100.7"},
		{"127.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		{"127.0.0.1:1", "", "127.0.0.1"},
		{"127.0.0.1:1", "nonsense", "127.0.0.1"},
		{"[::ffff:192.0.2.1]:1", "", "192.0.2.1"},
		{"[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::"},
		{"[::1]:1", "2001:db8:1:2:ffff::", "2001:db8:1:2::"},
		{"[fe80::1%eth0]:1", "", "fe80::"},
		{"@", "", "invalid IP"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		require.Equal(t, c.want, addressOf(r).String(), c)
	}
}

func TestSession_endsAndIsSigned(t *testing.T) {
	t.Parallel()
	g, now := clocked(t)
	request := func(value string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: cookieName, Value: value})
		return r
	}
	value := g.tokens[1].sign(now.Add(sessionFor))
	require.NotContains(t, value, good)
	require.Equal(t, 1, g.signed(request(value)))

	again, _ := clocked(t)
	require.Equal(t, 1, again.signed(request(value)), "another server with these tokens takes it")
	other, err := New([]string{"read:another0123456789"}, g.log)
	require.NoError(t, err)
	other.now = g.now
	require.Equal(t, -1, other.signed(request(value)), "without its token it is worth nothing")

	require.Equal(t, -1, g.signed(request(g.tokens[1].sign(now.Add(sessionFor+time.Second)))), "none lasts longer")
	for _, bad := range []string{"", "x", value[:len(value)-1], value + "A", "B" + value[1:], value[:len(value)-4] + "AAAA"} {
		require.Equal(t, -1, g.signed(request(bad)), bad)
	}
	*now = now.Add(sessionFor)
	require.Equal(t, -1, g.signed(request(value)), "it has ended")
}
