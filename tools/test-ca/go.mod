module circl.invalid/tools/test-ca

go 1.25
