/** The parts of Kubernetes objects that rules read, as they are written to dist. */
import type { Model } from "../../model/resolve.ts";

type Labels = Readonly<Record<string, string>>;
export interface Port {
  readonly name?: string;
  readonly containerPort?: number;
  readonly port?: number | string;
  readonly targetPort?: number | string;
}
interface Probe {
  readonly httpGet?: { readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
}
export interface Container {
  readonly name: string;
  readonly ports?: readonly Port[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly priorityClassName?: string;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly configMap?: { readonly name: string };
    readonly secret?: { readonly secretName: string };
  }[];
}
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: every kind has a spec of its own; rules read the few fields they name
  readonly spec?: any;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Manifests {
  readonly model: Model;
  readonly objects: readonly Manifest[];
}

/** A pod that some workload makes. */
export interface Pod {
  readonly owner: Manifest;
  readonly labels: Labels;
  readonly spec: PodSpec;
  /** Volumes that come from claim templates. */
  readonly claims: readonly string[];
}

export const ofKind = (objects: readonly Manifest[], ...kinds: string[]): Manifest[] =>
  objects.filter(({ kind }) => kinds.includes(kind));

export const named = (objects: readonly Manifest[], kind: string, name: string): Manifest | undefined =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);

/** The pods of every StatefulSet, Deployment and CronJob. */
export const podsOf = (objects: readonly Manifest[]): Pod[] =>
  ofKind(objects, "StatefulSet", "Deployment", "CronJob").map((owner) => {
    const template = owner.kind === "CronJob" ? owner.spec.jobTemplate.spec.template : owner.spec.template;
    const claims: Manifest[] = owner.spec.volumeClaimTemplates ?? [];
    return {
      owner,
      labels: template.metadata?.labels ?? {},
      spec: template.spec,
      claims: claims.map((claim) => claim.metadata.name),
    };
  });

export const containersOf = ({ spec }: Pod): Container[] => [...(spec.initContainers ?? []), ...spec.containers];

export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** `dist/staging: StatefulSet nats, volume config`. */
export const inManifest = ({ model }: Manifests, { kind, metadata }: Manifest, detail = ""): string =>
  `dist/${model.key}: ${kind} ${metadata.name}${detail ? `, ${detail}` : ""}`;
