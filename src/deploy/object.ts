/** Kubernetes objects as they lie in dist and as the API server has them. */

export type Labels = Readonly<Record<string, string>>;

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly generation?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** What made it, and takes it along. */
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  // biome-ignore lint/suspicious/noExplicitAny: every kind has a spec of its own; callers read the few fields they name
  readonly spec?: any;
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly status?: any;
  readonly data?: Labels;
}

/** What a controller says of an object. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  readonly observedGeneration?: number;
}

export const conditionOf = ({ status }: KubeObject, wanted: string): Condition | undefined =>
  ((status?.conditions ?? []) as readonly Condition[]).find(({ type }) => type === wanted);

/** Which object: equal for two versions of the same one. */
export const idOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
  [groupOf(apiVersion), kind, metadata.namespace ?? "", metadata.name].join("/");

/** `StatefulSet nats`, as people say it. */
export const titleOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;

/** Versions of one group are the same objects. */
const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

/** Fields that the server keeps for itself: no difference of theirs is one of ours. */
const BOOKKEEPING = ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"];

/** The object without what the server keeps for itself: what a change would show in. */
export function contentOf(object: KubeObject): Readonly<Record<string, unknown>> {
  const { status: _, metadata, ...rest } = object;
  const kept = Object.entries(metadata).filter(([field]) => !BOOKKEEPING.includes(field));
  return { ...rest, metadata: Object.fromEntries(kept) };
}
