/** Certificates that cert-manager did not renew in time. */
import { clientCertificate, NATS } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Environment } from "../model/environment.ts";
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { oneOf } from "./series.ts";

const DAY = 86_400;
/** Seconds before the end of a leaf at which each alert begins; the authority has earlier ones. */
export const LEAF_LIMITS = { NatsCertificateNotRenewed: 21 * DAY, NatsCertificateExpiring: 3 * DAY } as const;

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
  const ends = (names: readonly string[], days: number) =>
    `(${endsOf(names, environment).join(" or ")}) - time() < ${days * DAY}`;
  return [
    alert({
      name: "NatsCertificateNotRenewed",
      // Renewal begins 30 days before the end, of an authority a year before (certificates.ts): clients have to be told of a
      // new one, so there is half a year for that.
      expr: `${ends(leaves, LEAF_LIMITS.NatsCertificateNotRenewed / DAY)} or ${ends(authorities, 180)}`,
      for: "1h",
      severity: "warning",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "cert-manager has tried to renew it for more than a week, an authority for half a year.",
    }),
    alert({
      name: "NatsCertificateExpiring",
      // A leaf that is issued now lives 90 days, and no longer than its authority.
      expr: `${ends(leaves, LEAF_LIMITS.NatsCertificateExpiring / DAY)} or ${ends(authorities, 90)}`,
      for: "10m",
      severity: "critical",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "Then clients, or the servers among themselves, can no longer connect; open connections stay.",
    }),
  ];
}
