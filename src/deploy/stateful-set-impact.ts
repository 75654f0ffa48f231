/** What a change of a StatefulSet does to its pods and their volumes. */
import { NATS, TILE38 } from "../kubernetes/names.ts";
import { type FieldDifference, liesIn, renderPath } from "./differences.ts";
import type { Impact, Versions } from "./impact.ts";
import type { KubeObject } from "./object.ts";
import { quantityOf } from "./quantity.ts";
import { versionStep } from "./versions.ts";

/** Fields that the API server changes on a StatefulSet that exists; all others of its spec are refused. */
const MUTABLE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
  "revisionHistoryLimit",
];

export function statefulSetImpacts(versions: Versions): readonly Impact[] {
  const { before, after, fields } = versions;
  const fixed = fields.filter(
    ({ path: [top, field = ""] }) => top === "spec" && !MUTABLE.includes(field) && field !== "volumeClaimTemplates",
  );
  const found = [
    ...fixed.map(immutable),
    ...claimImpacts(before, after, fields),
    ...replicaImpacts(before, after),
    ...imageImpacts(versions),
    ...(fields.some((field) => liesIn(field, "spec", "template")) ? [rolls(before, after)] : []),
  ];
  return found.length > 0 ? found : [{ consequence: "nothing", says: "no pod is replaced" }];
}

const immutable = ({ path }: FieldDifference): Impact => ({
  consequence: "blocked",
  says: `${renderPath(path)} cannot be changed on a StatefulSet that exists`,
  hint: "Take the change back. If it must be: `kubectl delete statefulset --cascade=orphan` keeps pods and volumes; a new selector or service name does not find them again.",
});

const storageOf = (claim: KubeObject): string => claim.spec.resources?.requests?.storage ?? "0";

/** Sizes of claim templates that rise, by the template's name. */
export function growingClaims(before: KubeObject, after: KubeObject): { name: string; from: string; to: string }[] {
  return claimsOf(after).flatMap((claim) => {
    const old = claimsOf(before).find(({ metadata }) => metadata.name === claim.metadata.name);
    if (!old || quantityOf(storageOf(claim)) <= quantityOf(storageOf(old))) return [];
    return [{ name: claim.metadata.name, from: storageOf(old), to: storageOf(claim) }];
  });
}

const claimsOf = ({ spec }: KubeObject): readonly KubeObject[] => spec?.volumeClaimTemplates ?? [];

function claimImpacts(before: KubeObject, after: KubeObject, fields: readonly FieldDifference[]): Impact[] {
  const changed = fields.filter((field) => liesIn(field, "spec", "volumeClaimTemplates"));
  if (changed.length === 0) return [];
  const growing = growingClaims(before, after);
  const size = ["spec", "volumeClaimTemplates", "*", "spec", "resources", "requests", "storage"];
  const isSize = ({ path }: FieldDifference) =>
    path.length === size.length && size.every((part, i) => part === "*" || part === path[i]);
  const others = changed.filter((field) => !isSize(field));
  const shrinking = changed.filter((field) => isSize(field) && !growing.some(({ name }) => name === field.path[2]));
  return [
    ...others.map(
      ({ path }): Impact => ({
        consequence: "blocked",
        says: `${renderPath(path)}: claim templates cannot be changed, and the claims that exist would keep what they have`,
        hint: "Take the change back. Another class takes new claims: move one server after the other by emptying its volume while the others are complete.",
      }),
    ),
    ...shrinking.map(
      ({ path, from, to }): Impact => ({
        consequence: "blocked",
        says: `claim ${path[2]} ${from} -> ${to}: a volume cannot shrink`,
        hint: "Take the change back. A smaller volume is a new one: servers with empty volumes fetch everything from the others.",
      }),
    ),
    ...growing.map(
      ({ name, from, to }): Impact => ({
        consequence: "guided",
        says: `claim ${name} ${from} -> ${to}: volumes grow, and never back. A template cannot be changed, so the StatefulSet is made anew around its pods`,
        hint: growSteps(before, name, to),
      }),
    ),
  ];
}

/** The steps by hand, as deploy does them. */
const growSteps = ({ metadata, spec }: KubeObject, claim: string, to: string): string => {
  const names = podNames(metadata.name, spec.replicas).map((pod) => `${claim}-${pod}`);
  return (
    `circl deploy does it, in three steps: patch ${names.join(", ")} to ${to}; ` +
    `kubectl delete statefulset ${metadata.name} --cascade=orphan; apply. No pod ends for it; those that change with it are replaced one by one.`
  );
};

export const podNames = (name: string, replicas = 1): string[] =>
  Array.from({ length: replicas }, (_, i) => `${name}-${i}`);

function replicaImpacts(before: KubeObject, after: KubeObject): Impact[] {
  const [from, to] = [before.spec.replicas ?? 1, after.spec.replicas ?? 1];
  if (from === to) return [];
  if (to > from) {
    const pods = podNames(after.metadata.name, to).slice(from);
    return [{ consequence: "nothing", says: `${pods.join(", ")} start; those that run go on` }];
  }
  const pods = podNames(before.metadata.name, from).slice(to);
  if (before.metadata.name !== NATS.name) return [{ consequence: "restart", says: `${pods.join(", ")} end for good` }];
  return [
    {
      consequence: "blocked",
      says: `${pods.join(", ")} would end: the meta group still counts them, and streams lose a replica`,
      hint: "Move their streams away, stop the last pod, take it out of the group (`nats server cluster peer-remove`), and only then lower nats.servers.",
    },
  ];
}

interface Container {
  readonly name: string;
  readonly image: string;
}

function imageImpacts({ before, after, facts }: Versions): Impact[] {
  if (after.metadata.name !== NATS.name) return [];
  const [from, to] = [tagOf(before), tagOf(after)];
  if (!from || !to) return [];
  const { kind, obstacle, notes } = versionStep(from, to, facts.assetLevel);
  if (obstacle) return [{ consequence: "blocked", ...obstacle }];
  const oneWay = "A failed deploy stops instead of going back by itself: what the newer line wrote may not be readable";
  const said = kind === "upgrade" || kind === "downgrade" ? [oneWay, ...notes] : notes;
  return said.map((says) => ({ consequence: "restart", says: `${from} -> ${to}: ${says}` }));
}

/** Tag of the server's image. */
export function tagOf({ spec }: KubeObject): string | undefined {
  const containers: readonly Container[] = spec?.template?.spec?.containers ?? [];
  const image = containers.find(({ name }) => name === NATS.name)?.image;
  return image?.split("@")[0]?.split(":").at(-1);
}

function rolls(before: KubeObject, after: KubeObject): Impact {
  const { name } = after.metadata;
  const pods = podNames(name, Math.min(before.spec.replicas ?? 1, after.spec.replicas ?? 1)).reverse();
  return { consequence: "restart", says: `${pods.join(", then ")}: ${riskOf(name, pods.length)}` };
}

function riskOf(name: string, pods: number): string {
  if (name === TILE38.leader) return "writes to Tile38 stop until it is back and has loaded its file; reads go on";
  if (name === TILE38.followers)
    return "each fetches everything from the leader again; the others and the leader answer reads";
  if (name !== NATS.name) return "each is down for its restart";
  return pods > 1
    ? "each leaves its groups first, and the next waits until it is current in the meta group and in every stream; streams with one replica are away meanwhile"
    : "the only server: publishers and consumers wait until it is back";
}
