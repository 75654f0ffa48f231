/** cert-manager (cert-manager.io/v1), the fields we use. Durations are Go durations: "d" does not exist there. */
import { customResource } from "./custom-resource.ts";

export interface CertificateSpec {
  readonly secretName: string;
  readonly commonName?: string;
  readonly isCA?: boolean;
  readonly issuerRef: { readonly group: "cert-manager.io"; readonly kind: "Issuer"; readonly name: string };
  readonly duration: `${number}h`;
  readonly renewBefore: `${number}h`;
  readonly privateKey: {
    readonly algorithm: "ECDSA";
    readonly size: 256 | 384;
    readonly rotationPolicy: "Always" | "Never";
  };
  /** The default lacks "client auth", and without it routes refuse each other. */
  readonly usages: readonly ("digital signature" | "server auth" | "client auth" | "cert sign" | "crl sign")[];
  readonly dnsNames?: readonly string[];
}

export interface IssuerSpec {
  readonly selfSigned?: Record<string, never>;
  readonly ca?: { readonly secretName: string };
}

export const certificate = customResource<CertificateSpec>({ apiVersion: "cert-manager.io/v1", kind: "Certificate" });
export const issuer = customResource<IssuerSpec>({ apiVersion: "cert-manager.io/v1", kind: "Issuer" });
