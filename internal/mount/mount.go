// Package mount carries the address GNJ is mounted at from the front of the
// handler, which reads it off the request, to the doors behind it.
package mount

import "context"

type key struct{}

// With returns a context that carries the mount point: "" at the root,
// otherwise a path such as "/gnj", escaped as in the request.
func With(ctx context.Context, point string) context.Context {
	return context.WithValue(ctx, key{}, point)
}

// From returns the mount point, "" when there is none.
func From(ctx context.Context) string {
	point, _ := ctx.Value(key{}).(string)
	return point
}
