/** Certificates that cert-manager did not renew in time. */
import { clientCertificate, NATS } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Environment } from "../model/environment.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { oneOf } from "./series.ts";

const DAY = 86_400;
/** Seconds before its end at which each alert begins: clients have to be told of a new authority, so there is half a year for that. */
export const CERTIFICATE_LIMITS = {
  leaves: { NatsCertificateNotRenewed: 21 * DAY, NatsCertificateExpiring: 3 * DAY },
  authorities: { NatsCertificateNotRenewed: 180 * DAY, NatsCertificateExpiring: 90 * DAY },
} as const;

/**
 * When certificates end: one of these has series. Their own label `namespace` becomes `exported_namespace` unless the monitor of
 * cert-manager honours labels.
 */
export const endsOf = (names: readonly string[], { kubernetes }: Environment): readonly string[] =>
  ["exported_namespace", "namespace"].map(
    (label) =>
      `certmanager_certificate_expiration_timestamp_seconds{${label}="${kubernetes.namespace}",name=~${oneOf(names)}}`,
  );

/** None where no cert-manager makes certificates. */
export function certificateAlerts(model: Model): Alert[] {
  const { environment } = model;
  if (environment.certificates !== "cert-manager" || !environment.nats.tls) return [];
  const alert = withRunbooks(environment);
  const leaves = [
    NATS.serverCertificate,
    ...(environment.nats.servers > 1 ? [NATS.routeCertificate] : []),
    ...(environment.nats.clients.certificates ? identities(model).map(({ name }) => clientCertificate(name)) : []),
  ];
  const authorities = [NATS.caSecret, ...(environment.nats.servers > 1 ? [NATS.routeCaSecret] : [])];
  const ends = (names: readonly string[], seconds: number) =>
    `(${endsOf(names, environment).join(" or ")}) - time() < ${seconds}`;
  const ending = (name: keyof typeof CERTIFICATE_LIMITS.leaves) =>
    `${ends(leaves, CERTIFICATE_LIMITS.leaves[name])} or ${ends(authorities, CERTIFICATE_LIMITS.authorities[name])}`;
  return [
    alert({
      name: "NatsCertificateNotRenewed",
      // Renewal begins 30 days before the end, of an authority a year before (certificates.ts).
      expr: ending("NatsCertificateNotRenewed"),
      for: "1h",
      severity: "warning",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "cert-manager has tried to renew it for more than a week, an authority for half a year.",
    }),
    alert({
      name: "NatsCertificateExpiring",
      // A leaf that is issued now lives 90 days, and no longer than its authority.
      expr: ending("NatsCertificateExpiring"),
      for: "10m",
      severity: "critical",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "Then clients, or the servers among themselves, can no longer connect; open connections stay.",
    }),
  ];
}
