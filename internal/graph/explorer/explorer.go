// Package explorer is GraphiQL as a page of GNJ's own: every file it needs is in
// the binary, and a browser loads nothing from elsewhere.
//
// The files of others are as published (assets/NOTICE.txt says which, and under
// what licences); scripts/update-graphiql fetches them.
package explorer

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

//go:embed assets
var files embed.FS

// policy lets the page load our own files and talk to our own endpoint.
//
// Styles may be inline because GraphiQL's menus and dialogs write style
// elements to keep the page behind them from scrolling. Its icons and fonts are
// data in its style sheet.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src data:; " +
	"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// Page answers the explorer of the GraphQL endpoint at base, as browsers see
// that address from where they are: "./graphql". The page asks for its files below
// base+"/assets/"; [Asset] answers them.
func Page(w http.ResponseWriter, r *http.Request, base string) {
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, base); err != nil {
		http.Error(w, "the explorer page could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Add("Vary", "Accept") // programs get something else at this address
	serve(w, r, page.Bytes())
}
