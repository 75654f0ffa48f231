/** Do the servers run with what they were given last? One that cannot take a change goes on with what it had, and counts nothing. */
import { NATS } from "../kubernetes/names.ts";
import { type Alert, type Recording, withRunbooks } from "../kubernetes/prometheus-rule.ts";
import type { Model } from "../model/resolve.ts";
import { endsOf } from "./certificate-alerts.ts";
import { alive, ours } from "./series.ts";

/** What changes with the Secrets that the reloader hands to the server (pod.ts). */
function versions({ environment }: Model): readonly string[] {
  const { nats, certificates, kubernetes } = environment;
  const leaves = nats.tls ? [NATS.serverCertificate, ...(nats.servers > 1 ? [NATS.routeCertificate] : [])] : [];
  const secrets = (names: readonly string[]) =>
    `kube_secret_metadata_resource_version{namespace="${kubernetes.namespace}",secret=~"${names.join("|")}"}`;
  // A version counts labels and annotations as well, for which nothing is reloaded; the end of a certificate is in the file.
  return leaves.length > 0 && certificates === "cert-manager"
    ? [secrets([NATS.authSecret]), ...endsOf(leaves, environment)]
    : [secrets([NATS.authSecret, ...leaves])];
}

const CHANGED = "namespace:nats_secrets:changed";

/** When one of these Secrets changed last. Kept by the rule itself: no query reaches back for months. */
export function reloadRecordings(model: Model): Recording[] {
  const { namespace } = model.environment.kubernetes;
  // Five minutes earlier than it shows here: by then the server may have taken it already.
  const now = versions(model).map((version) => `timestamp(${version} offset 5m) and changes(${version}[2m]) > 0`);
  const before = `last_over_time(${CHANGED}{namespace="${namespace}"}[1h])`;
  return [{ record: CHANGED, expr: `max(${[...now, before].join(" or ")})`, labels: { namespace } }];
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
