/** Does External Secrets still bring what the secret store has? Everything goes on with what it had, so nobody else says so. */
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { clientSecret } from "./names.ts";
import { type PrometheusRuleSpec, withRunbooks } from "./prometheus-rule.ts";
import { clientNamespace, mountedSecrets } from "./secrets.ts";

/** No groups where Secrets are sent by kubectl. */
export function secretAlerts(model: Model): PrometheusRuleSpec {
  const { environment } = model;
  if (environment.secrets.store !== "gcp-secret-manager") return { groups: [] };
  const alert = withRunbooks(environment)({
    name: "SecretNotSynced",
    expr: ["exported_namespace", "namespace"]
      .map((label) => `${failing(label, model)} or ${gone(label, model)}`)
      .join(" or "),
    // It tries every few minutes; one failure is the store's.
    for: "15m",
    severity: "warning",
    summary:
      "ExternalSecret {{ $labels.name }} in {{ or $labels.exported_namespace $labels.namespace }} " +
      "{{ if eq $value 0.0 }}is not synced{{ else }}is looked after by nobody{{ end }}",
    description:
      "The Secret stays as it was: nothing stops, but no rotation and no revocation reaches servers and clients. A document is " +
      "missing or lacks a property, the store refuses its reader, or External Secrets does not run.",
  });
  return { groups: [{ name: "secrets.sync", interval: "30s", rules: [alert] }] };
}

/**
 * 1 while an ExternalSecret is as the store has it, 0 while the last attempt failed. Its own label `namespace` becomes
 * `exported_namespace` unless the monitor of External Secrets honours labels.
 */
function synced(label: string, model: Model): string {
  const clients = identities(model).filter(({ kind }) => kind === "service");
  const namespaces = new Set([
    model.environment.kubernetes.namespace,
    ...clients.map(({ name }) => clientNamespace(name, model)),
  ]);
  const names = [...mountedSecrets(model), ...clients.map(({ name }) => clientSecret(name))];
  return `externalsecret_status_condition{${label}=~"${[...namespaces].join("|")}",name=~"${names.join("|")}",condition="Ready",status="True"}`;
}

const failing = (label: string, model: Model): string => `min by (${label}, name) (${synced(label, model)}) == 0`;

/** Was there within a day, and is not now. Where Prometheus never heard of External Secrets, this is silent. */
const gone = (label: string, model: Model): string =>
  `(group by (${label}, name) (last_over_time(${synced(label, model)}[1d])) unless group by (${label}, name) (${synced(label, model)}))`;
