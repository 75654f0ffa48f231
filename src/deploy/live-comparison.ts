/** Compares dist with a live cluster, by dry runs on the server: what it answers is what an apply would give. */
import pLimit from "p-limit";
import { type Cluster, type Kind, referenceOf } from "./cluster.ts";
import { compare, isOurs, type ObjectChange, type Pair } from "./comparison.ts";
import type { Facts } from "./impact.ts";
import { idOf, type KubeObject } from "./object.ts";

/** Requests in flight: an API server gives one client its fair share and no more. */
const parallel = pLimit(8);

export async function compareLive(
  cluster: Cluster,
  environment: string,
  declared: readonly KubeObject[],
  facts: Facts = {},
): Promise<readonly ObjectChange[]> {
  const [pairs, only] = await Promise.all([
    Promise.all(declared.map((object) => parallel(() => livePair(cluster, object, declared)))),
    superfluousIn(cluster, environment, declared),
  ]);
  return compare(pairs, only, facts);
}

async function livePair(cluster: Cluster, declared: KubeObject, all: readonly KubeObject[]): Promise<Pair> {
  const before = await cluster.get(referenceOf(declared));
  const applied = await cluster.apply(declared, { dryRun: true });
  const pair = before ? { declared, before } : { declared };
  if (applied.outcome === "taken") return { ...pair, after: applied.object };
  // What is there, with what is declared laid over it: as close as can be told without the server's answer.
  const after = before ? (overlaid(before, declared) as KubeObject) : declared;
  if (applied.outcome === "conflict") return { ...pair, after, conflicts: applied.conflicts };
  const { status, says } = applied;
  return status === 404 && isAwaited(declared, all) ? { ...pair, after } : { ...pair, after, refusal: says };
}

/** The server refuses what lies in a namespace that does not exist yet, even in a dry run; the deploy makes ours first. */
const isAwaited = ({ metadata: { namespace } }: KubeObject, all: readonly KubeObject[]): boolean =>
  all.some(({ kind, metadata }) => kind === "Namespace" && metadata.name === namespace);

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function overlaid(below: unknown, above: unknown): unknown {
  if (Array.isArray(below) && Array.isArray(above) && below.length === above.length) {
    return above.map((item, i) => overlaid(below[i], item));
  }
  if (!isFields(below) || !isFields(above)) return above;
  const added = Object.entries(above).map(([field, value]) => [field, overlaid(below[field], value)]);
  return { ...below, ...Object.fromEntries(added) };
}

/** Kinds that dist has had, beside those that it has now. */
const EVER: readonly Kind[] = [
  { apiVersion: "v1", kind: "ConfigMap" },
  { apiVersion: "v1", kind: "Secret" },
  { apiVersion: "v1", kind: "Service" },
  { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "batch/v1", kind: "CronJob" },
  { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" },
];

/** Objects with our mark that dist does not have, in the namespaces that it has or that carry the mark themselves. */
export async function superfluousIn(
  cluster: Cluster,
  environment: string,
  declared: readonly KubeObject[],
): Promise<KubeObject[]> {
  const labels = `app.kubernetes.io/managed-by=circl,circl.dev/environment=${environment}`;
  const marked = await cluster.list({ apiVersion: "v1", kind: "Namespace" }, { labels });
  const namespaces = new Set([
    ...declared.flatMap(({ metadata }) => metadata.namespace ?? []),
    ...marked.map(({ metadata }) => metadata.name),
  ]);
  const kinds = new Map(
    [...EVER, ...declared.filter(({ metadata }) => metadata.namespace)].map(({ apiVersion, kind }) => [
      `${apiVersion} ${kind}`,
      { apiVersion, kind },
    ]),
  );
  const listed = [...kinds.values()].flatMap((kind) =>
    [...namespaces].map((namespace) =>
      parallel(async () =>
        (await cluster.may({ verb: "list", kind, namespace })) ? cluster.list(kind, { namespace, labels }) : [],
      ),
    ),
  );
  const ids = new Set(declared.map(idOf));
  return [...marked, ...(await Promise.all(listed)).flat()].filter(
    // What something else made of ours, as External Secrets its Secrets with our labels, goes with that.
    (object) => isOurs(object, environment) && !object.metadata.ownerReferences && !ids.has(idOf(object)),
  );
}
