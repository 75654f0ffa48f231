/** Does External Secrets still bring what the secret store has? Everything goes on with what it had, so nobody else says so. */
import { identities } from "../model/identity.ts";
import type { Model } from "../model/resolve.ts";
import { clientSecret } from "./names.ts";
import { type PrometheusRuleSpec, withRunbooks } from "./prometheus-rule.ts";
import { clientNamespace, mountedSecrets, pushedDocuments } from "./secrets.ts";

/** No groups where Secrets are sent by kubectl. */
export function secretAlerts(model: Model): PrometheusRuleSpec {
  const { environment } = model;
  if (environment.secrets.store !== "gcp-secret-manager") return { groups: [] };
  const clients = identities(model).filter(({ kind }) => kind === "service");
  const { namespace } = environment.kubernetes;
  const brought: Kept = {
    metric: "externalsecret_status_condition",
    namespaces: [...new Set([namespace, ...clients.map(({ name }) => clientNamespace(name, model))])],
    names: [...mountedSecrets(model), ...clients.map(({ name }) => clientSecret(name))],
  };
  const pushed: Kept = {
    metric: "pushsecret_status_condition",
    namespaces: [namespace],
    names: pushedDocuments(model),
  };
  // It tries every few minutes; one failure is the store's.
  const patience = { for: "15m", severity: "warning" } as const;
  const place = "{{ $labels.name }} in {{ or $labels.exported_namespace $labels.namespace }}";
  const abandoned = "{{ else }}is looked after by nobody{{ end }}";
  const alert = withRunbooks(environment);
  const notSynced = alert({
    name: "SecretNotSynced",
    expr: broken(brought),
    ...patience,
    summary: `ExternalSecret ${place} {{ if eq $value 0.0 }}is not synced${abandoned}`,
    description:
      "The Secret stays as it was: nothing stops, but no rotation and no revocation reaches servers and clients. A document is " +
      "missing or lacks a property, the store refuses its reader, or External Secrets does not run.",
  });
  const notPushed = alert({
    name: "SecretNotPushed",
    expr: broken(pushed),
    ...patience,
    summary: `PushSecret ${place} {{ if eq $value 0.0 }}does not reach the store${abandoned}`,
    description:
      "The secret store keeps the certificates that it had: clients that take them from there will trust an authority, or show a " +
      "certificate, that ends. The store refuses its writer, the Secret lacks a key, or External Secrets does not run.",
  });
  const alerts = pushed.names.length > 0 ? [notSynced, notPushed] : [notSynced];
  return { groups: [{ name: "secrets.sync", interval: "30s", rules: alerts }] };
}

/** Objects of External Secrets, and the metric in which each says how it is. */
interface Kept {
  readonly metric: string;
  readonly namespaces: readonly string[];
  readonly names: readonly string[];
}

/** 0 for those that fail, 1 for those that nobody reports any more. */
const broken = (kept: Kept): string =>
  ["exported_namespace", "namespace"].map((label) => `${failing(label, kept)} or ${gone(label, kept)}`).join(" or ");

/**
 * 1 while an object is as the store has it, 0 while the last attempt failed. Its own label `namespace` becomes
 * `exported_namespace` unless the monitor of External Secrets honours labels.
 */
const synced = (label: string, { metric, namespaces, names }: Kept): string =>
  `${metric}{${label}=~"${namespaces.join("|")}",name=~"${names.join("|")}",condition="Ready",status="True"}`;

const failing = (label: string, kept: Kept): string => `min by (${label}, name) (${synced(label, kept)}) == 0`;

/** Was there within a day, and is not now. Where Prometheus never heard of External Secrets, this is silent. */
const gone = (label: string, kept: Kept): string =>
  `(group by (${label}, name) (last_over_time(${synced(label, kept)}[1d])) unless group by (${label}, name) (${synced(label, kept)}))`;
