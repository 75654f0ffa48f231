module circl.dev/tools/test-ca

go 1.25
