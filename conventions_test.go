package gnj_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What the linters do not see of our conventions.

const (
	maxFile     = 400 // lines
	maxFunction = 60
)

func TestConventions_filesAndFunctionsCanBeHeldInTheHead(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if ast.IsGenerated(f.syntax) {
			continue // nobody has to hold it in the head
		}
		lines := f.set.File(f.syntax.Pos()).LineCount()
		assert.LessOrEqual(t, lines, maxFile, "%s is long: one noun or one verb a file", f.path)
		if f.test {
			continue // a scenario may be long
		}
		for _, decl := range f.syntax.Decls {
			function, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			long := f.set.Position(function.End()).Line - f.line(function) + 1
			assert.LessOrEqual(t, long, maxFunction, "%s: %s is long: one thought a function", f.path, function.Name)
		}
	}
}

func TestConventions_everyPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, f := range sources(t) {
		if !f.test {
			said[f.dir] = said[f.dir] || f.syntax.Doc.Text() != ""
		}
	}
	for dir, comment := range said {
		assert.True(t, comment, "package %s has no comment", dir)
	}
}

func TestConventions_everyExportedNameIsExplained(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if f.test || ast.IsGenerated(f.syntax) {
			continue
		}
		for _, decl := range f.syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				assert.True(t, !visible(d) || d.Doc.Text() != "", "%s:%d: %s has no comment", f.path, f.line(d), d.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					name, doc := described(d, spec)
					assert.True(t, !ast.IsExported(name) || doc != "", "%s:%d: %s has no comment", f.path, f.line(spec), name)
				}
			}
		}
	}
}

// visible reports whether a function, or a method with its type, is exported.
func visible(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return d.Name.IsExported()
	}
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return d.Name.IsExported() && of.(*ast.Ident).IsExported()
}

// described returns the name of a declaration and what is said about it, in
// front, behind, or of its whole group.
func described(d *ast.GenDecl, spec ast.Spec) (name, doc string) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		return s.Name.Name, s.Doc.Text() + d.Doc.Text()
	case *ast.ValueSpec:
		return s.Names[0].Name, s.Doc.Text() + s.Comment.Text() + d.Doc.Text()
	}
	return "", ""
}

func TestConventions_nothingInTheHostsProcessIsTouched(t *testing.T) {
	t.Parallel()
	variables := map[string][]string{} // of the package level, by directory
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		for _, spec := range f.variables() {
			for _, name := range spec.Names {
				variables[f.dir] = append(variables[f.dir], name.Name)
			}
			assert.False(t, guarded(spec), "%s:%d: state of a process belongs into what New returns", f.path, f.line(spec))
		}
	}
	for _, f := range sources(t) {
		for _, function := range f.functions() {
			if f.test {
				continue
			}
			assert.False(t, function.Recv == nil && function.Name.Name == "init", "%s: an init runs in every host, wanted or not", f.path)
			local := locals(function)
			for name, line := range f.assigned(function) {
				ours := slices.Contains(variables[f.dir], name) && !local[name]
				assert.False(t, ours, "%s:%d: %s is of the package; two handlers in one process share it", f.path, line, name)
			}
		}
	}
}

func (f source) functions() []*ast.FuncDecl {
	var list []*ast.FuncDecl
	for _, decl := range f.syntax.Decls {
		if function, ok := decl.(*ast.FuncDecl); ok && function.Body != nil {
			list = append(list, function)
		}
	}
	return list
}

// variables are those of the package level.
func (f source) variables() []*ast.ValueSpec {
	var list []*ast.ValueSpec
	for _, decl := range f.syntax.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				list = append(list, spec.(*ast.ValueSpec))
			}
		}
	}
	return list
}

// guarded reports whether a variable is made to be changed by many.
func guarded(spec *ast.ValueSpec) bool {
	found := false
	ast.Inspect(spec, func(n ast.Node) bool {
		if selected, ok := n.(*ast.SelectorExpr); ok {
			of, _ := selected.X.(*ast.Ident)
			found = found || of != nil && (of.Name == "sync" || of.Name == "atomic")
		}
		_, function := n.(*ast.FuncLit)
		return !function
	})
	return found
}

// assigned are the variables that a function assigns to, or to a part of, with the line.
func (f source) assigned(function *ast.FuncDecl) map[string]int {
	names := map[string]int{}
	ast.Inspect(function.Body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				names[root(left)] = f.line(s)
			}
		case *ast.IncDecStmt:
			names[root(s.X)] = f.line(s)
		}
		return true
	})
	return names
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.IndexExpr:
		return root(x.X)
	case *ast.SelectorExpr:
		return root(x.X)
	case *ast.StarExpr:
		return root(x.X)
	}
	return ""
}

// locals are the names that a function declares itself.
func locals(function *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(function, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.Field:
			for _, name := range s.Names {
				names[name.Name] = true
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				names[name.Name] = true
			}
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				if name, ok := left.(*ast.Ident); ok && s.Tok == token.DEFINE {
					names[name.Name] = true
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{s.Key, s.Value} {
				if name, ok := e.(*ast.Ident); ok {
					names[name.Name] = true
				}
			}
		}
		return true
	})
	return names
}

func TestConventions_testsRunInParallel(t *testing.T) {
	t.Parallel()
	called := map[string][]string{} // what each function of a directory's tests calls
	for _, f := range sources(t) {
		for _, function := range f.functions() {
			if f.test {
				called[f.dir+" "+function.Name.Name] = callees(function)
			}
		}
	}
	parallel := runningInParallel(called)
	for name := range called {
		dir, test, _ := strings.Cut(name, " ")
		if strings.HasPrefix(test, "Test") && test != "TestMain" {
			assert.True(t, parallel[name], "%s: %s does not run in parallel", dir, test)
		}
	}
}

// runningInParallel are the functions that say so themselves or by a helper.
// A test that is skipped need not.
func runningInParallel(called map[string][]string) map[string]bool {
	parallel := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for name, callees := range called {
			dir, _, _ := strings.Cut(name, " ")
			says := func(callee string) bool {
				return callee == "Parallel" || callee == "Skip" || parallel[dir+" "+callee]
			}
			if !parallel[name] && slices.ContainsFunc(callees, says) {
				parallel[name], grown = true, true
			}
		}
	}
	return parallel
}

// callees are the names that a function calls.
func callees(function *ast.FuncDecl) []string {
	var names []string
	ast.Inspect(function.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch of := call.Fun.(type) {
		case *ast.SelectorExpr:
			if slices.Contains([]string{"Parallel", "Skip"}, of.Sel.Name) {
				names = append(names, of.Sel.Name)
			}
		case *ast.Ident:
			names = append(names, of.Name)
		}
		return true
	})
	return names
}
