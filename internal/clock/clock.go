// Package clock names what only tests may ask of a service. As it is internal,
// nobody but package gnjtest can.
package clock

import "time"

// Move is how far the clock of a service is moved on.
type Move struct{ By time.Duration }
