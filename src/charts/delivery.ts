/** What a GitOps controller is told beside the manifests: in which order it applies them, and what it must never delete. */
import type { Environment } from "../model/environment.ts";

/** An object as a chart writes it. */
interface Written {
  readonly kind: string;
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly isCA?: boolean; readonly ca?: object };
}

/**
 * Kinds that may go when they are no longer in dist. All others own data, or secrets, or addresses: a branch that loses a file for a
 * moment must not cost a volume. That includes kinds to come. A controller asks nobody, so these are fewer than a person may prune.
 */
const HARMLESS = ["ConfigMap", "CronJob", "GrafanaDashboard", "NetworkPolicy", "PrometheusRule", "ServiceMonitor"];

/** `object` of the chart `chart` with what the environment's way of delivery needs; with kubectl it is what it was. */
export function deliver<Object extends Written>(object: Object, chart: string, { delivery }: Environment): Object {
  const own = ANNOTATIONS[delivery](object, chart);
  if (Object.keys(own).length === 0) return object;
  const { annotations, ...rest } = object.metadata;
  const all = Object.entries({ ...annotations, ...own }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...object, metadata: { annotations: Object.fromEntries(all), ...rest } };
}

const ANNOTATIONS: Readonly<
  Record<Environment["delivery"], (object: Written, chart: string) => Readonly<Record<string, string>>>
> = {
  kubectl: () => ({}),
  argocd: (object, chart) => ({
    "argocd.argoproj.io/sync-options": [
      ...(isHarmless(object) ? [] : ["Delete=false", "Prune=false"]),
      "ServerSideApply=true",
    ].join(","),
    "argocd.argoproj.io/sync-wave": String(waveOf(object, chart)),
  }),
  // Flux applies everything at once, Namespaces first, and always server-side: pods wait for their Secrets by themselves.
  flux: (object) => (isHarmless(object) ? {} : { "kustomize.toolkit.fluxcd.io/prune": "disabled" }),
};

const isHarmless = ({ kind }: Written): boolean => HARMLESS.includes(kind);

/** Behind the last certificate of 25-certificates, before the servers of 30-nats. */
const PUSH_WAVE = 29;

/**
 * The chart's number, and within a chart what others need first. Argo CD fails a sync as soon as an object of a wave is degraded, and
 * External Secrets and cert-manager report just that while what they need is not there yet.
 */
function waveOf({ kind, spec }: Written, chart: string): number {
  const first = Number(chart.slice(0, 2));
  if (kind === "SecretStore") return first + 1;
  if (kind === "ExternalSecret") return first + 2;
  if (kind === "Certificate") return first + (spec?.isCA ? 1 : 3);
  if (kind === "Issuer") return first + (spec?.ca ? 2 : 0);
  // It lies in 20-secrets and sends what certificates make: there it would wait for a later wave, for ever.
  if (kind === "PushSecret") return PUSH_WAVE;
  return first;
}
