package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

// age is a duration that also knows days: 30d, 1d12h, 90m.
type age time.Duration

// UnmarshalText reads what stands on the command line.
func (a *age) UnmarshalText(text []byte) error {
	d, err := parseAge(string(text))
	*a = age(d)
	return err
}

func parseAge(text string) (time.Duration, error) {
	refused := fmt.Errorf("must be a time such as 30d, 36h or 90m, not %q", text)
	var d time.Duration
	days, rest, has := strings.Cut(text, "d")
	if has {
		n, err := strconv.ParseUint(days, 10, 32)
		if err != nil || n > math.MaxInt64/uint64(24*time.Hour) {
			return 0, refused
		}
		d = time.Duration(n) * 24 * time.Hour
	} else {
		rest = text
	}
	if rest != "" || !has {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 || d+more < d {
			return 0, refused
		}
		d += more
	}
	if d != 0 && d < models.MinRetention {
		return 0, fmt.Errorf("must be at least a minute, not %q", text)
	}
	return d, nil
}
