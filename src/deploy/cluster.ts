/** A Kubernetes cluster as a deploy needs it; src/connect/cluster.ts is the one that is real. */
import type { Conflict } from "./comparison.ts";
import type { KubeObject } from "./object.ts";

/** The name under which we own fields. */
export const FIELD_MANAGER = "circl";

/** What kind of thing is meant, as the API groups it. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One that can be addressed. */
export interface Reference extends Kind {
  readonly name: string;
  readonly namespace?: string;
}

export const referenceOf = ({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): Reference => ({
  apiVersion,
  kind,
  name,
  ...(namespace ? { namespace } : {}),
});

/** What became of an apply. A refusal is an answer; only a server that does not answer is thrown. */
export type Applied =
  | { readonly outcome: "taken"; readonly object: KubeObject }
  | { readonly outcome: "conflict"; readonly conflicts: readonly Conflict[] }
  /** status: of HTTP; 404 where the kind or the namespace is not there. */
  | { readonly outcome: "refused"; readonly status: number; readonly says: string };

export interface Right {
  readonly verb: string;
  readonly kind: Kind;
  readonly subresource?: string;
  readonly namespace?: string;
}

export interface Cluster {
  /** Of kubectl's configuration. */
  readonly context: string;
  /** `1.33.4` */
  version(): Promise<string>;
  /** Whether the API knows a kind. */
  knows(kind: Kind): Promise<boolean>;
  /** Whether whoever runs this may do something. */
  may(right: Right): Promise<boolean>;
  get(reference: Reference): Promise<KubeObject | undefined>;
  /** Without a namespace: of all. An unknown kind has none. */
  list(
    kind: Kind,
    where?: { readonly namespace?: string; readonly labels?: string; readonly fields?: string },
  ): Promise<readonly KubeObject[]>;
  /** Server-side, as the field manager circl, never forcing. */
  apply(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<Applied>;
  /** Changes some fields by a merge patch, as somebody would by hand. */
  patch(reference: Reference, patch: object): Promise<void>;
  /** Gone already is as good. orphan leaves what the object owns. */
  remove(reference: Reference, options?: { readonly orphan?: boolean }): Promise<void>;
}
