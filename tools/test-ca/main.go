// Command test-ca plays cert-manager for tests: it makes a certificate authority and the certificates that the Certificate
// objects in dist ask for, in the layout of kubernetes.io/tls Secrets. They are valid for a day and worth nothing outside
// a test.
//
//	test-ca FOLDER < certificates.json
//
// It reads {"<secret name>": {"dnsNames": ["..."], "usages": ["server auth", "client auth"]}} and writes
// FOLDER/<secret name>/{tls.crt,tls.key,ca.crt}.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

type request struct {
	DNSNames []string `json:"dnsNames"`
	Usages   []string `json:"usages"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return errors.New("usage: test-ca FOLDER < certificates.json")
	}
	var requests map[string]request
	if err := json.NewDecoder(os.Stdin).Decode(&requests); err != nil {
		return fmt.Errorf("stdin: %w", err)
	}
	authority := template(1, "test CA")
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	// Parsed, so that leaves name its key as cert-manager's do: two authorities of one name are told apart by that.
	if authority, err = x509.ParseCertificate(authorityDER); err != nil {
		return err
	}
	serial := int64(2)
	for name, wanted := range requests {
		leaf := template(serial, name)
		serial++
		leaf.KeyUsage = x509.KeyUsageDigitalSignature
		if slices.Contains(wanted.Usages, "server auth") {
			leaf.ExtKeyUsage = append(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
		}
		if slices.Contains(wanted.Usages, "client auth") {
			leaf.ExtKeyUsage = append(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth)
		}
		for _, host := range wanted.DNSNames {
			if ip := net.ParseIP(host); ip != nil {
				leaf.IPAddresses = append(leaf.IPAddresses, ip)
			} else {
				leaf.DNSNames = append(leaf.DNSNames, host)
			}
		}
		if err := issue(filepath.Join(os.Args[1], name), leaf, authority, authorityKey, authorityDER); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func template(serial int64, commonName string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func issue(folder string, leaf, authority *x509.Certificate, authorityKey *ecdsa.PrivateKey, authorityDER []byte) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), authorityKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for file, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: der},
		"tls.key": {Type: "PRIVATE KEY", Bytes: keyDER},
		"ca.crt":  {Type: "CERTIFICATE", Bytes: authorityDER},
	} {
		if err := os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
