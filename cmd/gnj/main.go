// Command gnj runs GNJ as a server of its own, and looks after its database.
package main

import (
	"os"

	"github.com/teamstarter/gnj/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
