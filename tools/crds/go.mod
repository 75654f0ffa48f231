// Pins the custom resource definitions that tests validate against. They are read out of the module cache at run time
// (crdFiles in ../go.js); nothing is imported or compiled, so do not run `go mod tidy` here: it would empty this file.
// To move a pin: change the version, delete go.sum, run `go mod download <path>@<version>` for each line.
module circl.invalid/tools/crds

go 1.25.0

require (
	github.com/cert-manager/cert-manager v1.21.1 // deploy/crds
	github.com/external-secrets/external-secrets v1.3.2 // config/crds/bases
	github.com/grafana/grafana-operator/v5 v5.18.0 // config/crd/bases
	github.com/prometheus-operator/prometheus-operator v0.93.0 // example/prometheus-operator-crd
)
