package gnj_test

import (
	"go/ast"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestConventions_skipsAreLoud: only what -short leaves out is skipped silently.
func TestConventions_skipsAreLoud(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		short := map[ast.Node]bool{} // what stands behind an if testing.Short()
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if choice, ok := n.(*ast.IfStmt); ok && isShort(choice.Cond) {
				short[choice.Body] = true
			}
			return true
		})
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if short[n] {
				return false
			}
			if skips(n) && f.dir != "internal/storetest" {
				assert.Fail(t, "silent", "%s:%d: skip by storetest.Skip, or nobody sees it", f.path, f.line(n))
			}
			return true
		})
	}
}

func isShort(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	of, ok := call.Fun.(*ast.SelectorExpr)
	return ok && of.Sel.Name == "Short"
}

// skips reports whether a call skips a test. An rt is one of many tries of
// package rapid, which makes another.
func skips(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	called, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, called.Sel.Name) {
		return false
	}
	of, ok := called.X.(*ast.Ident)
	return !ok || of.Name != "rt" && of.Name != "storetest"
}
