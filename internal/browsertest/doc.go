// Package browsertest opens the pages in a browser, as people do. It is tests only.
package browsertest
