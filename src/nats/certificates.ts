/** The certificate authorities of the backbone, one for clients and one for routes, and the certificates of its servers, made by cert-manager. */
import { Construct } from "constructs";
import { type CertificateSpec, certificate, issuer } from "../kubernetes/certificate.ts";
import {
  CA_ISSUER,
  clientCertificate,
  NATS,
  ROUTE_CA_ISSUER,
  SELF_SIGNED_ISSUER,
  serviceHost,
} from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";

export class NatsCertificates extends Construct {
  constructor(scope: Construct, id: string, { model }: { readonly model: Model }) {
    super(scope, id);
    const { environment } = model;
    issuer(this, "self-signed", { name: SELF_SIGNED_ISSUER, spec: { selfSigned: {} } });
    certificate(this, "authority", {
      name: NATS.caSecret,
      spec: authority(NATS.caSecret, `circl-${environment.name} NATS CA`),
    });
    issuer(this, "issuer", { name: CA_ISSUER, spec: { ca: { secretName: NATS.caSecret } } });
    certificate(this, "server", {
      name: NATS.serverCertificate,
      spec: {
        ...leaf(NATS.serverCertificate),
        usages: ["digital signature", "server auth"],
        dnsNames: clientHosts(environment),
      },
    });
    if (environment.nats.servers > 1) {
      // Whoever has a certificate of this authority is a server: a route asks for no credential. So it is not that of clients.
      certificate(this, "route-authority", {
        name: NATS.routeCaSecret,
        spec: authority(NATS.routeCaSecret, `circl-${environment.name} NATS route CA`),
      });
      issuer(this, "route-issuer", { name: ROUTE_CA_ISSUER, spec: { ca: { secretName: NATS.routeCaSecret } } });
      certificate(this, "route", {
        name: NATS.routeCertificate,
        spec: {
          ...leaf(NATS.routeCertificate, ROUTE_CA_ISSUER),
          // A server dials its peers with the certificate it serves them.
          usages: ["digital signature", "server auth", "client auth"],
          dnsNames: [`*.${serviceHost(NATS.headlessService, environment)}`],
        },
      });
    }
    for (const { name } of environment.nats.clients.certificates ? identities(model) : []) {
      // It opens the door and says nothing about who comes in: that is the credential's to say.
      certificate(this, `client-${name}`, {
        name: clientCertificate(name),
        spec: { ...leaf(clientCertificate(name)), commonName: name, usages: ["digital signature", "client auth"] },
      });
    }
  }
}

/** Ten years, and never a new key by itself: leaves are not issued again when the authority changes. */
const authority = (secretName: string, commonName: string): CertificateSpec => ({
  secretName,
  commonName,
  isCA: true,
  issuerRef: { group: "cert-manager.io", kind: "Issuer", name: SELF_SIGNED_ISSUER },
  duration: "87600h",
  renewBefore: "8760h",
  privateKey: { algorithm: "ECDSA", size: 384, rotationPolicy: "Never" },
  usages: ["cert sign", "crl sign"],
});

/** 90 days, renewed 30 days before the end; the reloader hands renewals to the server. */
const leaf = (secretName: string, name = CA_ISSUER): Omit<CertificateSpec, "usages" | "dnsNames"> => ({
  secretName,
  issuerRef: { group: "cert-manager.io", kind: "Issuer", name },
  duration: "2160h",
  renewBefore: "720h",
  privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
});

/** Every name that a client in the cluster may use for the Service, and each server by its own. */
function clientHosts(environment: Environment): string[] {
  const { namespace } = environment.kubernetes;
  return [
    NATS.clientService,
    `${NATS.clientService}.${namespace}`,
    `${NATS.clientService}.${namespace}.svc`,
    serviceHost(NATS.clientService, environment),
    `*.${serviceHost(NATS.headlessService, environment)}`,
  ];
}
