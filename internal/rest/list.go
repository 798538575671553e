package rest

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teamstarter/gnj/service"
)

// What the lists have in common.

// instant is a time in a query, which may be left out.
type instant struct{ at *time.Time }

// UnmarshalText reads a time as in RFC 3339.
func (i *instant) UnmarshalText(text []byte) error {
	i.at = new(time.Time)
	return i.at.UnmarshalText(text)
}

// jobOrder is what jobs can be sorted by.
type jobOrder string

// Schema lists the orders the service knows.
func (jobOrder) Schema(huma.Registry) *huma.Schema {
	return orders(service.JobOrders)
}

// idOrder is what everything else can be sorted by.
type idOrder string

// Schema lists the two directions.
func (idOrder) Schema(huma.Registry) *huma.Schema {
	return orders([]string{"id", "-id"})
}

func orders(names []string) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, name := range names {
		s.Enum = append(s.Enum, name)
	}
	return s
}

// rows returns a list that is never null in JSON.
func rows[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// next returns the cursor of the next page, nil on the last one.
func next(cursor string) *string {
	if cursor == "" {
		return nil
	}
	return &cursor
}
