package main

import (
	"errors"
	"net/url"
)

// withDatabase returns a PostgreSQL URL with another database in it.
func withDatabase(server, database string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", errors.New("-postgres must be a URL: postgres://user:password@host:5432/postgres")
	}
	u.Path = "/" + database
	return u.String(), nil
}
