package store

import (
	"strings"

	"github.com/teamstarter/gnj/models"
)

const maxOrders = 20

// order is what stands behind ORDER BY. Rows without a value come last, and
// first in reverse, as on PostgreSQL; ties are by primary key.
func (s *source) order(tx *Tx, by string) (string, error) {
	if by == "" && s.newest != "" {
		return s.newest, nil
	}
	var parts []string
	if by != "" {
		names := strings.Split(by, ",")
		if len(names) > maxOrders {
			return "", models.Invalid("order", "names %d columns; %d is the most", len(names), maxOrders)
		}
		for _, name := range names {
			part, err := s.orderBy(tx, strings.TrimSpace(name))
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, s.key.sql), ", "), nil
}

func (s *source) orderBy(tx *Tx, name string) (string, error) {
	name, reverse := strings.CutPrefix(name, "reverse:")
	c, expression, err := s.orderColumn(tx, name)
	switch {
	case err != nil:
		return "", err
	case c.kind == jsonKind:
		return "", models.Invalid("order", "cannot be by %s, which holds JSON", name)
	case c == s.key && reverse:
		return expression + " DESC", nil
	case c == s.key:
		return expression, nil // has no nulls, so that its index serves any database
	case reverse:
		return expression + " DESC NULLS FIRST", nil
	}
	return expression + " ASC NULLS LAST", nil
}

// orderColumn finds a column of the source or of a row it is related to.
func (s *source) orderColumn(tx *Tx, name string) (column, string, error) {
	of, own, isRelated := strings.Cut(name, ".")
	if !isRelated {
		c, ok := s.column(name)
		if !ok {
			return c, "", s.notOrdered(name)
		}
		return c, c.sql, nil
	}
	r, ok := s.related[of]
	if !ok {
		return column{}, "", models.Invalid("order", "names %s, which no row of %s is related to", shown(of), s.name)
	}
	c, ok := r.column(own)
	if !ok {
		return c, "", r.notOrdered(own)
	}
	expression := "(SELECT " + c.of("r") + " FROM " + tx.qualified() + `"` + r.name + `" r WHERE r."id" = t."` + r.by + `" AND r."deletedAt" IS NULL)`
	return column{name, c.kind, expression}, expression, nil
}

func (s *source) notOrdered(name string) error {
	return models.Invalid("order", "names %s, which is not a column of %s; use one of %s", shown(name), s.name, s.names())
}
