// Package chaos kills and stops workers, which are processes of their own, while
// they do many jobs over HTTP, and proves from the database's own record that
// every job was successful exactly once. It has tests only: a short one among
// the others, and "make chaos".
package chaos
