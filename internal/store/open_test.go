package store_test

import (
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/teamstarter/gnj/internal/store"
	"github.com/teamstarter/gnj/internal/storetest"
	"github.com/teamstarter/gnj/models"
)

// login is who may connect to a database but owns nothing in it.
type login struct{ name, url string }

func role(t *testing.T, database string) login {
	t.Helper()
	name := "gnj_test_" + strings.ToLower(rand.Text())
	db := storetest.SQL(t, database)
	storetest.Exec(t, db, `CREATE ROLE "`+name+`" LOGIN PASSWORD 'secret'`)
	t.Cleanup(func() {
		admin := storetest.SQL(t, os.Getenv(storetest.Variable))
		_, _ = db.Exec(`DROP OWNED BY "` + name + `"`)
		_, _ = admin.Exec(`DROP ROLE "` + name + `"`)
	})
	u, err := url.Parse(database)
	require.NoError(t, err)
	u.User = url.UserPassword(name, "secret")
	return login{name, u.String()}
}

// refused opens a database that must be refused in one clear line.
func refused(t *testing.T, config store.Config, kind error, message string) {
	t.Helper()
	_, err := store.Open(t.Context(), config)
	require.ErrorIs(t, err, kind)
	require.ErrorContains(t, err, message)
	require.NotContains(t, err.Error(), "\n")
}

func TestOpen_refusesWhatIsNoSQLiteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	require.NoError(t, os.WriteFile(text, []byte(strings.Repeat("This is no database. ", 100)), 0o600))
	for _, existing := range []bool{false, true} {
		refused(t, store.Config{Database: text, Existing: existing}, models.ErrUnavailable,
			"cannot open the database "+text+": SQLite answers: file is not a database")
		refused(t, store.Config{Database: dir, Existing: existing}, models.ErrUnavailable,
			"cannot open the database "+dir+": SQLite answers: unable to open database file")
		refused(t, store.Config{Database: filepath.Join(text, "jobs.db"), Existing: existing}, models.ErrUnavailable,
			text)
	}
	refused(t, store.Config{Database: "/proc/nowhere/jobs.db"}, models.ErrUnavailable, "/proc/nowhere")
	refused(t, store.Config{Database: filepath.Join(dir, "missing.db"), Existing: true}, models.ErrUnavailable, "missing.db")
	kept, err := os.ReadFile(text)
	require.NoError(t, err)
	require.Contains(t, string(kept), "This is no database.")
}

func TestOpen_refusesASQLiteFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		storetest.Skip(t, "root may write every file; TestRun_refusesWhatItMayNotWrite does it as another user")
	}
	for _, mode := range []string{"DELETE", "WAL"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "jobs.db")
		storetest.Exec(t, storetest.SQL(t, file), "PRAGMA journal_mode = "+mode, "CREATE TABLE theirs (id integer)")
		require.NoError(t, os.Chmod(file, 0o400))
		refused(t, store.Config{Database: file}, models.ErrUnavailable,
			"cannot open the database "+file+": SQLite answers: attempt to write a readonly database")
		require.NoError(t, os.Chmod(file, 0o000))
		refused(t, store.Config{Database: file}, models.ErrUnavailable,
			"cannot open the database "+file+": SQLite answers: ")
		require.NoError(t, os.Chmod(dir, 0o500))
		refused(t, store.Config{Database: filepath.Join(dir, "new.db")}, models.ErrUnavailable, "unable to open database file")
		refused(t, store.Config{Database: filepath.Join(dir, "new", "jobs.db")}, models.ErrUnavailable, "permission denied")
		require.NoError(t, os.Chmod(dir, 0o700))
	}
}

func TestOpen_makesTheDirectoryOfASQLiteFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a", "b c", "jobs.db")
	s := storetest.Open(t, store.Config{Database: file})
	require.NoError(t, s.Migrate(t.Context()))
	works(t, s)
	require.FileExists(t, file)
}

func TestOpen_takesEveryFileName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"a b.db", "what?.db", "50%.db", "%41.db", "#1.db", "a&b=c.db", "jöbs 仕事.db", "it's.db", `quo"te.db`, "file:x.db", "+.db", "a;b.db",
	} {
		file := filepath.Join(t.TempDir(), name)
		s := storetest.Open(t, store.Config{Database: file})
		require.NoError(t, s.Migrate(t.Context()), name)
		works(t, s)
		require.NoError(t, s.Close())
		require.FileExists(t, file)
		entries, err := os.ReadDir(filepath.Dir(file))
		require.NoError(t, err)
		require.Len(t, entries, 1, "the journals are gone after Close, and nothing else was made")
	}
}

// passwords are in every URL below, and may be in no message or log of it.
var passwords = []string{"s3cret-word", "s3cret%2Fw%20ord", "s3cret%zzword", "s3cret:word", "s3cret/word"}

func TestOpen_refusesPostgresThatCannotBeReached(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(storetest.Postgres(t))
	require.NoError(t, err)
	closed := closedPort(t)
	for _, password := range passwords {
		for _, attempt := range []struct{ url, message string }{
			{"postgres://gnj:" + password + "@" + closed + "/db", ""},
			{"postgres://gnj:" + password + "@" + u.Host + "/none?sslmode=disable", ""},
			{"postgres://gnj:" + password + "@" + u.Host + u.Path + "?sslmode=nonsense", ""},
			{"postgresql://gnj:" + password + "@" + u.Host + u.Path + "?connect_timeout=soon", ""},
			{"postgres://gnj:" + password + "@host:port:port/db", ""},
			{"postgres://gnj@" + closed + "/db?password=" + password, ""},
		} {
			_, err := store.Open(t.Context(), store.Config{Database: attempt.url})
			require.Error(t, err)
			require.NotEqual(t, models.CodeInternal, models.CodeOf(err), err.Error())
			require.NotContains(t, err.Error(), "\n")
			for inner := err; inner != nil; inner = unwrap(inner) {
				require.NotContains(t, inner.Error(), "s3cret", "%T", inner)
			}
		}
	}
}

func TestOpen_saysWhyPostgresCannotBeReached(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	u, err := url.Parse(database)
	require.NoError(t, err)
	at := func(change func(*url.URL)) store.Config {
		other := *u
		change(&other)
		return store.Config{Database: other.String()}
	}
	closed := closedPort(t)
	refused(t, at(func(u *url.URL) { u.Host = closed }), models.ErrUnavailable,
		"cannot open the database: PostgreSQL does not answer at "+closed)
	refused(t, at(func(u *url.URL) { u.Path = "/no such database" }), models.ErrUnavailable,
		`cannot open the database: PostgreSQL answers: database "no such database" does not exist`)
	refused(t, at(func(u *url.URL) { u.User = url.UserPassword("nobody there", "s3cret-word") }), models.ErrUnavailable,
		`cannot open the database: PostgreSQL answers: role "nobody there" does not exist`)
	refused(t, at(func(u *url.URL) { u.Host = "no-such-host.invalid" }), models.ErrUnavailable,
		"no-such-host.invalid")
	refused(t, at(func(u *url.URL) { u.RawQuery = "sslmode=nonsense" }), models.ErrInvalid, "the database's URL cannot be read: sslmode")
	refused(t, at(func(u *url.URL) { u.RawQuery = "sslmode=require" }), models.ErrUnavailable, "TLS")
}

func TestOpen_givesUpOnAServerThatNeverAnswers(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	begun := time.Now()
	refused(t, store.Config{Database: "postgres://gnj:s3cret@" + silent.Addr().String() + "/db?sslmode=disable&connect_timeout=1"},
		models.ErrUnavailable, "PostgreSQL does not answer in time")
	require.Less(t, time.Since(begun), 10*time.Second)
}

func TestMigrate_saysWhatPostgresRefuses(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	storetest.Exec(t, storetest.SQL(t, database), "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	s := storetest.Open(t, store.Config{Database: role(t, database).url})
	err := s.Migrate(t.Context())
	require.ErrorIs(t, err, models.ErrInvalid)
	require.EqualError(t, err, "cannot migrate the database: PostgreSQL answers: permission denied for schema public")
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
