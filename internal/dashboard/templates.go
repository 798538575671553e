package dashboard

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teamstarter/gnj/models"
)

//go:embed templates assets
var files embed.FS

// templates are the pages by name, each with the frame around it.
var templates = func() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(functions).ParseFS(files, "templates/frame.html", "templates/parts.html"))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil // the pattern is right
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page != "frame" && page != "parts" {
			pages[page] = template.Must(template.Must(frame.Clone()).ParseFS(files, name))
		}
	}
	return pages
}()

var functions = template.FuncMap{
	"show": func(value any) string {
		switch v := value.(type) {
		case *string:
			if v == nil {
				return ""
			}
			return visible(*v)
		case string:
			return visible(v)
		}
		return visible(fmt.Sprint(value))
	},
	"when":     when,
	"duration": inShort,
	"seconds":  func(s *float64) string { return inShort(time.Duration(*s * float64(time.Second))) },
	"about":    about,
	"raw":      raw,
	"ended":    ended,
	"ran":      func(job models.Job) string { return ran(&job) },
	"jobsAt":   func(mount, query string) string { return mount + "/jobs?" + query },
	"ranOf":    ran,
	"field":    func(values map[string][]string, name string) string { return strings.Join(values[name], ", ") },
	"order":    orderInWords,
	"args":     func(values ...any) []any { return values },
	"percent": func(part, whole int) int {
		if whole == 0 {
			return 0
		}
		return 100 * part / whole
	},
	"count": func(n map[models.JobStatus]int64, status models.JobStatus) int64 { return n[status] },
}

// orders are the orders of jobs in words, upwards and downwards.
var orders = map[string][2]string{
	"id": {"oldest first", "newest first"}, "createdAt": {"created first", "created last"}, "updatedAt": {"changed first", "changed last"},
	"startedAt": {"started first", "started last"}, "endedAt": {"ended first", "ended last"},
	"priorityLevel": {"lowest priority", "highest priority"}, "type": {"type, A to Z", "type, Z to A"}, "status": {"status, A to Z", "status, Z to A"},
}

func orderInWords(order string) string {
	name, down := strings.CutPrefix(order, "-")
	words, known := orders[name]
	switch {
	case !known:
		return order
	case down:
		return words[1]
	}
	return words[0]
}

// instant is a time for a page: as people read it, and as scripts do.
type instant struct{ Text, ISO string }

func when(value any) *instant {
	var t time.Time
	switch v := value.(type) {
	case *time.Time:
		if v == nil {
			return nil
		}
		t = *v
	case time.Time:
		t = v
	}
	return &instant{t.UTC().Format("2006-01-02 15:04:05 UTC"), t.UTC().Format(time.RFC3339Nano)}
}

// ran is how long an attempt took; "" when it has not ended.
func ran(job *models.Job) string {
	if job.StartedAt == nil || job.EndedAt == nil {
		return ""
	}
	return inShort(job.EndedAt.Sub(*job.StartedAt))
}

// inShort is a duration in its two largest units.
func inShort(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// about is a time in seconds that may be missing.
func about(seconds *float64) string {
	if seconds == nil {
		return "–"
	}
	return inShort(time.Duration(*seconds * float64(time.Second)))
}

// raw is the same for scripts.
func raw(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return strconv.FormatFloat(*seconds, 'g', 4, 64)
}

// ended are the points in which something ended, the newest first.
func ended(points []models.MetricPoint) []models.MetricPoint {
	var list []models.MetricPoint
	for _, p := range slices.Backward(points) {
		if p.Tally.Ended() > 0 {
			list = append(list, p)
		}
	}
	return list
}

// asset answers a file of the pages.
func (d *Dashboard) asset(q *request) error {
	name := q.r.PathValue("file")
	content, err := files.ReadFile("assets/" + name)
	if err != nil {
		return models.NotFound("There is no such file.")
	}
	q.w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	q.w.Header().Set("Cache-Control", "no-cache")
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(content) // the exchange keeps the error
	return nil
}
