package seed

import (
	"fmt"
	"time"

	"github.com/teamstarter/gnj/models"
)

// kind is a type of jobs and how they go.
type kind struct {
	name        string
	share       float64       // of all jobs
	wait, run   time.Duration // medians
	spread      float64
	fails       float64 // share of the attempts
	attempts    int
	priority    int
	recoverable bool
	steps       []string // of its progress
	input       func(*world) string
	output      func(*world) string
	errors      []string // what goes wrong: a message, with a number for %d
	stack       string   // where, behind the message
}

var kinds = []*kind{mail, webhook, thumbnail, index, invoice, payment, report, catalogueImport, resize}

var (
	mail = &kind{
		name: "mail.send", share: 34, wait: 150 * time.Millisecond, run: 700 * time.Millisecond, spread: 0.5, fails: 0.02, attempts: 3, priority: models.DefaultPriority,
		input: func(w *world) string {
			return fmt.Sprintf(`{"to":"customer%d@example.com","template":%q,"locale":%q}`, w.IntN(40_000), one(w, []string{"welcome", "order-confirmed", "password-reset", "shipped"}), one(w, []string{"en", "fr", "de"}))
		},
		output: func(w *world) string {
			return fmt.Sprintf(`{"messageId":"<%016x@mail.example.com>","accepted":1}`, w.Uint64())
		},
		errors: []string{"450 4.2.1 mailbox %d is receiving too fast", "connect ETIMEDOUT 192.0.2.%d:587", "550 5.1.1 user unknown (id %d)"},
		stack:  "at SMTPConnection._onResponse (/srv/app/node_modules/nodemailer/lib/smtp-connection/index.js:774:20)\n    at sendMail (/srv/app/jobs/mail.js:41:9)",
	}
	webhook = &kind{
		name: "webhook.deliver", share: 21, wait: 120 * time.Millisecond, run: 350 * time.Millisecond, spread: 0.8, fails: 0.05, attempts: 5, priority: models.DefaultPriority,
		input: func(w *world) string {
			return fmt.Sprintf(`{"url":"https://partner%d.example.net/hooks","event":%q,"order":%d}`, w.IntN(60), one(w, []string{"order.created", "order.paid", "order.shipped"}), w.IntN(2_000_000))
		},
		output: func(w *world) string { return fmt.Sprintf(`{"status":200,"ms":%d}`, 40+w.IntN(500)) },
		errors: []string{"partner answered 503 after %d ms", "partner answered 500 after %d ms", "socket hang up after %d bytes"},
		stack:  "at deliver (/srv/app/jobs/webhook.js:88:11)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
	}
	thumbnail = &kind{
		name: "thumbnail.render", share: 14, wait: 400 * time.Millisecond, run: 2 * time.Second, spread: 0.5, fails: 0.01, attempts: 2, priority: 1,
		input: func(w *world) string {
			return fmt.Sprintf(`{"image":"uploads/%06d.jpg","sizes":[120,480,960]}`, w.IntN(900_000))
		},
		output: func(w *world) string { return fmt.Sprintf(`{"files":3,"bytes":%d}`, 20_000+w.IntN(900_000)) },
		errors: []string{"Input buffer contains unsupported image format (byte %d)", "VipsJpeg: premature end of JPEG image at %d"},
		stack:  "at Sharp.toBuffer (/srv/app/node_modules/sharp/lib/output.js:163:17)\n    at render (/srv/app/jobs/thumbnail.js:23:30)",
	}
	index = &kind{
		name: "search.index", share: 12, wait: 300 * time.Millisecond, run: time.Second, spread: 0.4, fails: 0.006, attempts: 3, priority: 2,
		input:  func(w *world) string { return fmt.Sprintf(`{"products":[%d,%d]}`, w.IntN(80_000), w.IntN(80_000)) },
		output: func(w *world) string { return fmt.Sprintf(`{"indexed":2,"tookMs":%d}`, 5+w.IntN(200)) },
		errors: []string{"version conflict, document %d was changed meanwhile", "circuit breaking exception: data too large, %d bytes"},
		stack:  "at SearchClient.bulk (/srv/app/search/client.js:132:13)",
	}
	invoice = &kind{
		name: "invoice.pdf", share: 8, wait: 250 * time.Millisecond, run: 4 * time.Second, spread: 0.4, fails: 0.008, attempts: 2, priority: models.DefaultPriority,
		input: func(w *world) string {
			return fmt.Sprintf(`{"invoice":"2026-%06d","customer":%d}`, w.IntN(900_000), w.IntN(40_000))
		},
		output: func(w *world) string {
			return fmt.Sprintf(`{"file":"invoices/%08x.pdf","pages":%d}`, w.Uint32(), 1+w.IntN(4))
		},
		errors: []string{"customer %d has no address", "font cache is locked by process %d"},
		stack:  "panic: no address\n\ngoroutine 41 [running]:\nexample.com/shop/invoice.(*Renderer).address(...)\n\t/src/invoice/render.go:118\nexample.com/shop/invoice.(*Renderer).Render(0xc0001b2000)\n\t/src/invoice/render.go:61 +0x1f4",
	}
	payment = &kind{
		name: "payment.capture", share: 6, wait: 80 * time.Millisecond, run: 1800 * time.Millisecond, spread: 0.4, fails: 0.03, attempts: 1, priority: 8,
		input: func(w *world) string {
			return fmt.Sprintf(`{"order":%d,"amount":{"value":%d,"currency":"EUR"}}`, w.IntN(2_000_000), 500+w.IntN(40_000))
		},
		output: func(w *world) string { return fmt.Sprintf(`{"capture":"cap_%012x"}`, w.Uint64()>>16) },
		errors: []string{"card declined (code %d)", "payment provider answered 502 after %d ms"},
		stack:  "at PaymentClient.capture (/srv/app/payment/client.js:57:15)\n    at capture (/srv/app/jobs/payment.js:19:5)",
	}
	report = &kind{
		name: "report.export", share: 3, wait: 2 * time.Second, run: 80 * time.Second, spread: 0.7, fails: 0.03, attempts: 1, priority: 2, recoverable: true,
		steps: []string{"query", "render", "upload"},
		input: func(w *world) string {
			return fmt.Sprintf(`{"report":%q,"format":%q}`, one(w, []string{"sales", "returns", "stock"}), one(w, []string{"xlsx", "csv"}))
		},
		output: func(w *world) string {
			return fmt.Sprintf(`{"rows":%d,"file":"exports/%08x"}`, 100+w.IntN(90_000), w.Uint32())
		},
		errors: []string{"canceling statement due to statement timeout (%d ms)", "no space left on device after %d bytes"},
		stack:  "Traceback (most recent call last):\n  File \"/srv/reports/export.py\", line 88, in run\n    rows = query(sql, limit)\n  File \"/srv/reports/db.py\", line 31, in query\n    cursor.execute(sql)",
	}
	catalogueImport = &kind{
		name: "catalogue.import", share: 1.5, wait: time.Second, run: 4 * time.Minute, spread: 0.6, fails: 0.05, attempts: 1, priority: 1, recoverable: true,
		steps: []string{"download", "check", "write", "publish"},
		input: func(w *world) string {
			return fmt.Sprintf(`{"supplier":%d,"file":"sftp://suppliers/%d/catalogue.csv"}`, w.IntN(40), w.IntN(40))
		},
		output: func(w *world) string {
			return fmt.Sprintf(`{"lines":%d,"changed":%d}`, 1000+w.IntN(50_000), w.IntN(900))
		},
		errors: []string{"line %d: price is no number", "the file ends in the middle of line %d"},
		stack:  "at parse (/srv/app/import/csv.js:203:11)\n    at importCatalogue (/srv/app/jobs/import.js:77:20)",
	}
	resize = &kind{
		name: "picture.resize", share: 0.5, wait: 500 * time.Millisecond, run: 5 * time.Second, spread: 0.4, fails: 0.003, attempts: 1, priority: models.DefaultPriority,
		input:  func(w *world) string { return fmt.Sprintf(`{"picture":"raw/%06d.tif","width":2400}`, w.IntN(900_000)) },
		output: func(w *world) string { return fmt.Sprintf(`{"bytes":%d}`, 100_000+w.IntN(4_000_000)) },
		errors: []string{"tiff: unsupported compression value %d"},
		stack:  "goroutine 9 [running]:\nexample.com/shop/pictures.resize(0xc00012a0f0)\n\t/src/pictures/resize.go:44 +0x88",
	}
)

// newsletter is held at present.
var newsletter = &kind{
	name: "newsletter.send", wait: time.Second, run: 900 * time.Millisecond, spread: 0.4, attempts: 3, priority: 1,
	input: func(w *world) string {
		return fmt.Sprintf(`{"issue":"winter","segment":%d}`, w.IntN(64))
	},
	output: func(w *world) string { return fmt.Sprintf(`{"sent":%d}`, 50+w.IntN(400)) },
	errors: []string{"segment %d is empty"},
	stack:  "at send (/srv/app/jobs/newsletter.js:12:9)",
}

// kind is one of all, by their shares.
func (w *world) kind() *kind {
	total := 0.0
	for _, k := range kinds {
		total += k.share
	}
	for chance := w.Float64() * total; ; {
		for _, k := range kinds {
			if chance -= k.share; chance < 0 {
				return k
			}
		}
	}
}
