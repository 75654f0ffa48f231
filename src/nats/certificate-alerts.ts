/** Certificates that cert-manager did not renew in time. */
import { NATS } from "../kubernetes/names.ts";
import { type Alert, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";

const DAY = 86_400;

/** None where no cert-manager makes certificates. */
export function certificateAlerts({ environment }: Model): Alert[] {
  if (environment.certificates !== "cert-manager" || !environment.nats.tls) return [];
  const alert = withRunbooks(environment);
  const names = [
    NATS.caSecret,
    NATS.serverCertificate,
    ...(environment.nats.servers > 1 ? [NATS.routeCaSecret, NATS.routeCertificate] : []),
  ].join("|");
  // Its own label `namespace` becomes `exported_namespace` unless the monitor of cert-manager honours labels.
  const expiry = ["exported_namespace", "namespace"]
    .map(
      (label) => `certmanager_certificate_expiration_timestamp_seconds{${label}="${environment.kubernetes.namespace}"`,
    )
    .map((series) => `${series},name=~"${names}"}`)
    .join(" or ");
  const ends = (days: number) => `(${expiry}) - time() < ${days * DAY}`;
  return [
    alert({
      name: "NatsCertificateNotRenewed",
      // Renewal begins 30 days before the end, of the authority a year before (certificates.ts).
      expr: ends(21),
      for: "1h",
      severity: "warning",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "cert-manager has tried to renew it for more than a week.",
    }),
    alert({
      name: "NatsCertificateExpiring",
      expr: ends(3),
      for: "10m",
      severity: "critical",
      summary: "Certificate {{ $labels.name }} ends in {{ $value | humanizeDuration }}",
      description: "Then clients, or the servers among themselves, can no longer connect; open connections stay.",
    }),
  ];
}
