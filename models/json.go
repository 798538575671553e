package models

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// JSON is a JSON value kept as the text it came in: numbers stay exact and
// nothing is decoded on its way through. Nil is null, in Go, JSON and SQL.
type JSON []byte

// MarshalJSON returns the text as it is.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j) == 0 {
		return []byte("null"), nil
	}
	return j, nil
}

// UnmarshalJSON keeps a copy of the text; null becomes nil.
func (j *JSON) UnmarshalJSON(text []byte) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		*j = nil
		return nil
	}
	*j = bytes.Clone(text)
	return nil
}

// Value hands the text to the database as a string, which every driver and
// protocol takes for a json column.
func (j JSON) Value() (driver.Value, error) {
	if len(j) == 0 {
		return nil, nil
	}
	return string(j), nil
}

// Scan reads a json or text column.
func (j *JSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = nil
	case []byte:
		*j = bytes.Clone(v)
	case string:
		*j = JSON(v)
	default:
		return fmt.Errorf("scan JSON: unexpected %T", src)
	}
	return nil
}

// GormDataType names the column's type to GORM.
func (JSON) GormDataType() string { return "json" }

// String returns the text, null for nil.
func (j JSON) String() string {
	if len(j) == 0 {
		return "null"
	}
	return string(j)
}

// MaxJSONDepth is how deep arrays and objects may nest.
const MaxJSONDepth = 500

// Check reports what keeps the text from being stored: text that is not JSON
// or not UTF-8, nesting beyond [MaxJSONDepth], or the characters U+0000 and lone surrogates,
// which databases cannot hold. The error is for people and names no field.
func (j JSON) Check() error {
	if len(j) == 0 {
		return nil
	}
	if !json.Valid(j) {
		return fmt.Errorf("is not valid JSON")
	}
	return checkText(j)
}
