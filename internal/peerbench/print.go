package main

import (
	"encoding/json"
	"fmt"
	"io"
)

func printTable(where io.Writer, figures []figure) error {
	width := len("name")
	for _, f := range figures {
		width = max(width, len(f.Name))
	}
	if _, err := fmt.Fprintf(where, "%-*s | clients |  jobs/s\n", width, "name"); err != nil {
		return fmt.Errorf("print figures: %w", err)
	}
	for _, f := range figures {
		if _, err := fmt.Fprintf(where, "%-*s | %7d | %7.0f\n", width, f.Name, f.Clients, f.Median); err != nil {
			return fmt.Errorf("print figures: %w", err)
		}
	}
	return nil
}

func printJSON(where io.Writer, figures []figure) error {
	lines := json.NewEncoder(where)
	for _, f := range figures {
		if err := lines.Encode(f); err != nil {
			return fmt.Errorf("print figures: %w", err)
		}
	}
	return nil
}
