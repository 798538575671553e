package main

import (
	"context"
	"errors"
)

// peer is one of what is measured.
type peer struct {
	name         string // as -only takes it
	needs        func(ctx context.Context) error
	postgres     bool // whether it needs a server
	measurements []measurement
}

// measurement makes one figure, on databases of its own.
type measurement struct {
	name    string
	clients int // callers at once, or slots
	run     func(ctx context.Context, p *place, clients int) (rate float64, err error)
}

func peers() []peer {
	return []peer{
		{name: "limits", postgres: true, measurements: limits()},
		{name: "river", postgres: true, measurements: riverQueue()},
		{name: "goqite", measurements: goqiteQueue()},
		{name: "pgboss", postgres: true, needs: installPgBoss, measurements: pgBoss()},
	}
}

func peerNames() []string {
	var names []string
	for _, p := range peers() {
		names = append(names, p.name)
	}
	return names
}

// missing says what a peer needs that is not here.
func (p peer) missing(ctx context.Context, o options) error {
	if p.postgres && o.postgres == "" {
		return errors.New("it needs -postgres URL")
	}
	if p.needs == nil {
		return nil
	}
	return p.needs(ctx)
}

// each is the same measurement by several numbers of clients.
func each(name string, run func(ctx context.Context, p *place, clients int) (float64, error), clients ...int) []measurement {
	var list []measurement
	for _, n := range clients {
		list = append(list, measurement{name, n, run})
	}
	return list
}
