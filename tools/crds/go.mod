module circl.invalid/tools/crds

go 1.26.8
