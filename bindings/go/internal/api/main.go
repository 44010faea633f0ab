// SPDX-License-Identifier: MIT

// The api command prints every exported declaration of the package in the current directory, as api.txt lists them.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"log"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	paths, err := filepath.Glob("*.go")
	if err != nil {
		log.Fatal(err)
	}
	var lines []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		found, err := exported(path)
		if err != nil {
			log.Fatal(err)
		}
		lines = append(lines, found...)
	}
	slices.Sort(lines)
	fmt.Println(strings.Join(slices.Compact(lines), "\n"))
}

// exported gives the exported declarations of a file, one per line.
func exported(path string) (lines []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		return nil, err
	}
	ast.FileExports(file)
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			declaration.Body = nil
			lines = append(lines, line(files, declaration))
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				if declaration.Tok != token.IMPORT {
					lines = append(lines, declaration.Tok.String()+" "+line(files, spec))
				}
			}
		}
	}
	return lines, nil
}

// line prints a node without line breaks.
func line(files *token.FileSet, node ast.Node) string {
	var out strings.Builder
	if err := printer.Fprint(&out, files, node); err != nil {
		log.Fatal(err)
	}
	return strings.Join(strings.Fields(out.String()), " ")
}
