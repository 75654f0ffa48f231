/** Do the servers run with what they were given last? One that cannot take a change goes on with what it had, and counts nothing. */
import { NATS } from "../kubernetes/names.ts";
import { type Alert, type Recording, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { alive, ours } from "./series.ts";

/** Secrets whose change the reloader hands to the server (pod.ts). */
const reloaded = ({ environment: { nats } }: Model): readonly string[] => [
  NATS.authSecret,
  ...(nats.tls ? [NATS.serverCertificate, ...(nats.servers > 1 ? [NATS.routeCertificate] : [])] : []),
];

const CHANGED = "namespace:kube_secret_metadata_resource_version:changed";

/** When one of these Secrets changed last. Kept by the rule itself: no query reaches back for months. */
export function reloadRecordings(model: Model): Recording[] {
  const { namespace } = model.environment.kubernetes;
  const version = `kube_secret_metadata_resource_version{namespace="${namespace}",secret=~"${reloaded(model).join("|")}"}`;
  // Five minutes earlier than it shows here: by then the server may have taken it already.
  const now = `max by (namespace) (timestamp(${version} offset 5m) and changes(${version}[2m]) > 0)`;
  return [{ record: CHANGED, expr: `${now} or last_over_time(${CHANGED}{namespace="${namespace}"}[1h])` }];
}

export function reloadAlerts({ environment }: Model): Alert[] {
  const loaded = `nats_varz_config_load_time{${ours(environment)}} / 1000`;
  return [
    withRunbooks(environment)({
      name: "NatsReloadFailed",
      // Every reload that succeeds sets the load time, also one that finds only new certificates (reload.go, ReloadOptions).
      expr: alive(environment, `${loaded} < on (namespace) group_left () ${CHANGED}`),
      // The kubelet brings a change within two minutes.
      for: "10m",
      severity: "warning",
      summary:
        "{{ $labels.server_id }} has not taken its Secrets since {{ $value | humanizeTimestamp }}, and they have changed",
      description:
        "It goes on with what it had: who was revoked still gets in, who is new does not, and a certificate that was renewed ends " +
        "with the old one. The server refuses auth.conf or a certificate, or nobody told it of them.",
    }),
  ];
}
