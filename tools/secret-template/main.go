// Command secret-template renders the template of an ExternalSecret the way External Secrets does with engineVersion v2:
// Go's text/template, the functions of sprig without env and expandenv, and an error for a key that the store did not
// give. Tests use it to hold the very bytes that a mounted Secret would have, without a cluster.
//
// It reads one JSON document from stdin and writes one to stdout:
//
//	{"template": {"<file>": "<template text>"}, "data": {"<key>": "<value>"}}
//	{"<file>": "<rendered text>"}
//
// Each template that fails is one line on stderr with the name of its file, nothing is written to stdout, and the exit
// code is 1. External Secrets' own functions (toYaml, filterPEM, pkcs12key, jwkPublicKeyPem ...) are not here: a template
// that uses one fails as an unknown function.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type input struct {
	Template map[string]string `json:"template"`
	Data     map[string]string `json:"data"`
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(stdin io.Reader, stdout io.Writer) error {
	var in input
	decoder := json.NewDecoder(stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return fmt.Errorf("stdin is not {\"template\": {...}, \"data\": {...}} with string values: %w", err)
	}

	rendered := map[string]string{}
	var failures []error
	for _, file := range slices.Sorted(maps.Keys(in.Template)) {
		text, err := render(file, in.Template[file], in.Data)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", file, err))
		}
		rendered[file] = text
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}

	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(rendered)
}

func render(file, text string, data map[string]string) (string, error) {
	functions := sprig.TxtFuncMap()
	// External Secrets takes these two away, so that a template cannot read the operator's environment.
	delete(functions, "env")
	delete(functions, "expandenv")

	parsed, err := template.New(file).Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	err = parsed.Execute(&out, data)
	return out.String(), err
}
