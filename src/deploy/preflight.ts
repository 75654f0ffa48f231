/** What must hold before anything is touched. Everything that does not is said at once. */
import type { Environment } from "../model/environment.ts";
import type { Cluster, Kind, Right } from "./cluster.ts";
import { isOurs } from "./comparison.ts";
import type { KubeObject } from "./object.ts";
import { NAMESPACE, rightsFor } from "./rights.ts";

export interface Obstacle {
  readonly says: string;
  readonly hint: string;
}

export interface PreflightInput {
  readonly cluster: Cluster;
  readonly environment: Environment;
  readonly declared: readonly KubeObject[];
  readonly prune: boolean;
}

/** Tools that apply what git says by themselves, as people call them. */
const APPLIED_BY: Readonly<Record<Exclude<Environment["delivery"], "kubectl">, string>> = {
  argocd: "Argo CD",
  flux: "Flux",
};

/** A cluster that is not the environment's, or that something else applies to: not even read from. */
export const targetObstacles = ({ name, kubernetes, delivery }: Environment, context: string): Obstacle[] => [
  ...(delivery === "kubectl"
    ? []
    : [
        {
          says: `${name} is delivered by ${APPLIED_BY[delivery]} (delivery "${delivery}"), which would undo what this does`,
          hint: `Commit dist/${name} and let it sync, git revert is the way back, and circl apply does the streams (docs/gitops.md). Or take ${APPLIED_BY[delivery]} off it, and set delivery: "kubectl" in environments/.`,
        },
      ]),
  ...(context === kubernetes.context
    ? []
    : [
        {
          says: `--kubectl ${context} is not the context of ${name}, which is ${kubernetes.context}`,
          hint: `Give --kubectl ${kubernetes.context}, or name the environment that you mean (kubernetes.context in environments/).`,
        },
      ]),
];

/** Everything in the way; without any, the deploy may begin. */
export async function preflight(input: PreflightInput): Promise<readonly Obstacle[]> {
  const { cluster } = input;
  // What may not be read is a missing right among others, not the end of the questions.
  const unlessForbidden = async (right: Right, ask: () => Promise<Obstacle[]>): Promise<Obstacle[]> =>
    (await cluster.may(right)) ? await ask() : forbidden(groupRights([right]));
  const found = await Promise.all([
    versionObstacles(input),
    kindObstacles(input),
    unlessForbidden({ verb: "get", kind: NAMESPACE }, () => namespaceObstacles(input)),
    unlessForbidden({ verb: "list", kind: STORAGE_CLASS }, () => storageObstacles(input)),
    rightObstacles(input),
  ]);
  const seen = new Set<string>();
  return found.flat().filter(({ says }) => !seen.has(says) && seen.add(says));
}

async function versionObstacles({ cluster, environment }: PreflightInput): Promise<Obstacle[]> {
  const version = await cluster.version();
  const [, minor = "0", patch = "0"] = /^1\.(\d+)\.(\d+)/.exec(version) ?? [];
  const wanted = environment.kubernetes.version;
  // maxUnavailable broke Parallel there, and a broken revision could take down several servers at once.
  if (minor === "35" && Number(patch) < 4) {
    return [
      {
        says: `the API server is ${version}`,
        hint: "1.35.0 to 1.35.3 roll Parallel StatefulSets wrongly (k/k #137409): upgrade to 1.35.4.",
      },
    ];
  }
  return Number(minor) < Number(wanted.split(".")[1])
    ? [
        {
          says: `the API server is ${version}, ${environment.name} says ${wanted}`,
          hint: "Upgrade the cluster, or lower kubernetes.version.",
        },
      ]
    : [];
}

const OPERATORS: Readonly<Record<string, string>> = {
  "external-secrets.io": "External Secrets",
  "cert-manager.io": "cert-manager",
  "monitoring.coreos.com": "the Prometheus operator",
  "grafana.integreatly.org": "the Grafana operator",
};

async function kindObstacles({ cluster, declared }: PreflightInput): Promise<Obstacle[]> {
  const kinds = new Map<string, Kind>(
    declared.map(({ apiVersion, kind }) => [`${kind} (${apiVersion})`, { apiVersion, kind }]),
  );
  const unknown = await Promise.all(
    [...kinds].map(async ([title, kind]) => ((await cluster.knows(kind)) ? [] : [{ title, kind }])),
  );
  return unknown.flat().map(({ title, kind }) => {
    const operator = OPERATORS[kind.apiVersion.split("/")[0] ?? ""];
    return {
      says: `the cluster does not know ${title}`,
      hint: operator ? `Install ${operator} with its CRDs.` : "Is this the right cluster, and new enough?",
    };
  });
}

async function namespaceObstacles({ cluster, environment, declared }: PreflightInput): Promise<Obstacle[]> {
  const ours = new Set(declared.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata.name));
  const names = new Set(declared.flatMap(({ metadata }) => metadata.namespace ?? []));
  const found = await Promise.all(
    [...names].map(async (name) => ({ name, live: await cluster.get({ ...NAMESPACE, name }) })),
  );
  return found.flatMap(({ name, live }) => {
    if (!live) {
      return ours.has(name)
        ? []
        : [
            {
              says: `there is no namespace ${name}`,
              hint: `It is not ours: kubectl create namespace ${name}, with the labels that README names.`,
            },
          ];
    }
    const other = live.metadata.labels?.["circl.dev/environment"];
    return !ours.has(name) || other === undefined || isOurs(live, environment.name)
      ? []
      : [
          {
            says: `namespace ${name} belongs to the environment ${other}, not to ${environment.name}`,
            hint: `Does the context ${cluster.context} point where you think? kubectl config get-contexts shows it.`,
          },
        ];
  });
}

const STORAGE_CLASS: Kind = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

async function storageObstacles({ cluster, declared }: PreflightInput): Promise<Obstacle[]> {
  const classes = await cluster.list(STORAGE_CLASS);
  const names = classes.map(({ metadata }) => metadata.name);
  const hasDefault = classes.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === "true");
  return declared
    .filter(({ kind }) => kind === "StatefulSet")
    .flatMap(({ metadata, spec }) =>
      (spec.volumeClaimTemplates ?? []).flatMap((claim: KubeObject) => {
        const wanted: string | undefined = claim.spec.storageClassName;
        if (wanted === undefined ? hasDefault : names.includes(wanted)) return [];
        const there = names.length > 0 ? `There are: ${names.join(", ")}.` : "There is none at all.";
        return [
          {
            says: `claim ${claim.metadata.name} of ${metadata.name} wants ${wanted ? `the storage class ${wanted}` : "a default storage class"}, and there is none`,
            hint: `${there} Set the volume's storageClass in environments/, or make the class.`,
          },
        ];
      }),
    );
}

async function rightObstacles({ cluster, declared, prune }: PreflightInput): Promise<Obstacle[]> {
  const missing = await Promise.all(
    rightsFor(declared, prune).map(async (right) => ((await cluster.may(right)) ? [] : [right])),
  );
  return forbidden(groupRights(missing.flat()));
}

const forbidden = (rights: readonly string[]): Obstacle[] =>
  rights.map((says) => ({
    says: `you may not ${says}`,
    hint: "Let the identity have the right: docs/deploy.md lists all that a deploy takes.",
  }));

/** `create, patch ExternalSecret in circl-backbone`: a line for each kind and place. */
function groupRights(rights: readonly Right[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { verb, kind, subresource, namespace } of rights) {
    const what = `${kind.kind}${subresource ? `/${subresource}` : ""}${namespace ? ` in ${namespace}` : ""}`;
    lines.set(what, [...(lines.get(what) ?? []), verb]);
  }
  return [...lines].map(([what, verbs]) => `${verbs.join(", ")} ${what}`);
}

/** Claims that are to grow and whose class does not let them. */
export async function growthObstacles(cluster: Cluster, grown: readonly KubeObject[]): Promise<Obstacle[]> {
  if (grown.length === 0) return [];
  // Listed, as that is the right that a deploy has.
  const classes: readonly (KubeObject & { readonly allowVolumeExpansion?: boolean })[] =
    await cluster.list(STORAGE_CLASS);
  return grown.flatMap((claim) => {
    const name: string | undefined = claim.spec.storageClassName;
    if (classes.find(({ metadata }) => metadata.name === name)?.allowVolumeExpansion === true) return [];
    return [
      {
        says: `${claim.metadata.name} cannot grow: storage class ${name ?? "(none)"} does not allow it`,
        hint: "Set allowVolumeExpansion on the class, if its driver can.",
      },
    ];
  });
}
