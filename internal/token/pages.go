package token

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/teamstarter/gnj/models"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var style []byte

var pageTemplate = template.Must(template.New("sign-in").Parse(pageHTML))

// page is what the sign-in page shows.
type page struct {
	To    string         // where to go on to
	Wrong string         // why the token was not taken
	Who   *models.Access // who is signed in
}

const maxForm = 8 << 10 // bytes

// Around puts the pages to sign in and out in front of next, and sends browsers there that
// ask for a page without being signed in.
func (g *Guard) Around(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sign-in", g.signInPage)
	mux.HandleFunc("POST /sign-in", g.signIn)
	mux.HandleFunc("POST /sign-out", g.signOut)
	mux.HandleFunc("GET /sign-in/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(style)
	})
	pages := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/sign-in" || r.URL.Path == "/sign-out" || r.URL.Path == "/sign-in/style.css":
			pages.ServeHTTP(w, r)
		case wantsPage(r) && g.signed(r) < 0:
			sendTo(w, toRoot(r)+"sign-in?to="+url.QueryEscape(strings.TrimPrefix(r.URL.RequestURI(), "/")))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// wantsPage reports whether a person looks at a page, and no program asks.
func wantsPage(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return reads && r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// toRoot is the way from a request's address to where this server is mounted,
// which a proxy in front may have stripped.
func toRoot(r *http.Request) string {
	return "./" + strings.Repeat("../", max(strings.Count(r.URL.EscapedPath(), "/")-1, 0))
}

// sendTo sends a browser to a relative address.
func sendTo(w http.ResponseWriter, address string) {
	w.Header().Set("Location", address)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusSeeOther)
}

func (g *Guard) signInPage(w http.ResponseWriter, r *http.Request) {
	p := page{To: r.URL.Query().Get("to")}
	if i := g.signed(r); i >= 0 {
		p.Who = &g.tokens[i].access
	}
	show(w, http.StatusOK, p)
}

// signIn takes a token and has the browser keep a cookie of it.
func (g *Guard) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		show(w, http.StatusBadRequest, page{Wrong: "the form could not be read; try again"})
		return
	}
	p := page{To: r.PostForm.Get("to")}
	i, err := g.try(r, strings.TrimSpace(r.PostForm.Get("token")))
	if err != nil {
		status := http.StatusUnauthorized
		var wait slowed
		if errors.As(err, &wait) {
			status = http.StatusTooManyRequests
			w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
		}
		p.Wrong = err.Error()
		show(w, status, p)
		return
	}
	g.keep(w, r, g.tokens[i].sign(g.now().Add(sessionFor)), sessionFor)
	sendTo(w, onward(p.To))
}

// onward is an address below ours to go on to: "./" in front makes anything one.
func onward(to string) string {
	u, err := url.Parse("./" + to)
	if err != nil || strings.ContainsAny(to, "\\\r\n") || strings.Contains("/"+u.Path+"/", "/../") {
		return "./"
	}
	return "./" + strings.TrimLeft(to, "/")
}

func (g *Guard) signOut(w http.ResponseWriter, r *http.Request) {
	g.keep(w, r, "", 0)
	sendTo(w, "./sign-in")
}

// show answers with the page, which loads nothing from elsewhere and is shown in no frame.
func show(w http.ResponseWriter, status int, p page) {
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, p); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	for name, value := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Cache-Control":           "no-store",
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "same-origin",
	} {
		w.Header().Set(name, value)
	}
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes())
}
