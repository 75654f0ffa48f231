/** Everything that differs between two sets of objects, and what will happen to what runs. */
import { PART_OF } from "../kubernetes/labels.ts";
import { differences, type FieldDifference } from "./differences.ts";
import { type Consequence, type Facts, type Impact, impactsOf } from "./impact.ts";
import { contentOf, idOf, type KubeObject, titleOf } from "./object.ts";
import { isHarmless } from "./prune.ts";

export interface ObjectChange {
  readonly action: "create" | "update" | "none" | "superfluous";
  readonly title: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly fields: readonly FieldDifference[];
  readonly impacts: readonly Impact[];
  /** Fields that somebody else owns: an apply is refused until that is settled. */
  readonly conflicts: readonly Conflict[];
}

export interface Conflict {
  readonly field: string;
  readonly owner: string;
}

/** One object of dist, with what is there now and what an apply would make of it. */
export interface Pair {
  readonly declared: KubeObject;
  /** Missing where the object does not exist yet. */
  readonly before?: KubeObject;
  /** What would be there. */
  readonly after: KubeObject;
  readonly conflicts?: readonly Conflict[];
  /** Why the API server would not take it, in its words. */
  readonly refusal?: string;
}

export interface Comparison {
  readonly environment: string;
  /** What was compared with: a folder, or a cluster. */
  readonly with: string;
  readonly changes: readonly ObjectChange[];
}

/** Objects of two folders: what is there and what is declared. */
export const pairsOf = (before: readonly KubeObject[], after: readonly KubeObject[]): Pair[] => {
  const there = new Map(before.map((object) => [idOf(object), object]));
  return after.map((declared) => {
    const found = there.get(idOf(declared));
    return { declared, after: declared, ...(found ? { before: found } : {}) };
  });
};

/**
 * Compares pair by pair.
 *
 * @param only objects that are there and not declared
 */
export function compare(
  pairs: readonly Pair[],
  only: readonly KubeObject[],
  facts: Facts = {},
): readonly ObjectChange[] {
  const changes = pairs.map((pair) => changeOf(pair, only, facts));
  const restarts = changes.some(({ kind, impacts }) => kind === "StatefulSet" && has(impacts, "restart"));
  return [
    ...changes.map((change) => (restarts ? change : withoutRestart(change, facts))),
    ...only.map((object) => ({ ...identityOf(object), action: "superfluous" as const, ...NOTHING_FOUND })),
  ];
}

const NOTHING_FOUND = { fields: [], impacts: [], conflicts: [] };

const has = (impacts: readonly Impact[], consequence: Consequence): boolean =>
  impacts.some((impact) => impact.consequence === consequence);

const identityOf = (object: KubeObject) => ({
  title: titleOf(object),
  kind: object.kind,
  name: object.metadata.name,
  namespace: object.metadata.namespace ?? "",
});

function changeOf(
  { declared, before, after, conflicts = [], refusal }: Pair,
  only: readonly KubeObject[],
  facts: Facts,
) {
  const identity = identityOf(declared);
  if (!before) {
    const impacts = [...renamed(declared, only), ...(refusal ? [refused(refusal)] : [])];
    return { ...identity, action: "create" as const, fields: [], impacts, conflicts };
  }
  const fields = differences(contentOf(before), contentOf(after));
  const found = fields.length > 0 ? impactsOf({ before, after, fields, facts }) : [];
  // Where our own tables know the reason, the server's words add nothing.
  const known = has(found, "blocked") || has(found, "guided");
  const impacts = refusal && !known ? [...found, refused(refusal)] : found;
  const action = fields.length > 0 || conflicts.length > 0 || refusal ? "update" : "none";
  return { ...identity, action, fields, impacts, conflicts } as const;
}

const refused = (says: string): Impact => ({
  consequence: "blocked",
  says: `the API server refuses it: ${says}`,
  hint: "Mend what it names, run circl synth, and try again.",
});

/** A StatefulSet under a new name would run beside the old one, over the same pods and with empty volumes. */
function renamed(created: KubeObject, only: readonly KubeObject[]): Impact[] {
  if (created.kind !== "StatefulSet") return [];
  const selector = JSON.stringify(created.spec.selector);
  return only
    .filter((object) => object.kind === "StatefulSet" && JSON.stringify(object.spec.selector) === selector)
    .map((old) => ({
      consequence: "blocked",
      says: `${titleOf(old)} in ${old.metadata.namespace} has the same selector: this is a new name for it, and its volumes stay with the old one`,
      hint: "Take the name back: names that own data are for ever (src/kubernetes/names.ts).",
    }));
}

/** nats.conf with a key that no reload takes over, and no restart planned. */
function withoutRestart(change: ObjectChange, { deployedBefore }: Facts): ObjectChange {
  if (change.kind !== "ConfigMap" || !has(change.impacts, "restart")) return change;
  const unplanned = deployedBefore ? staysLoaded : wouldBeRefused;
  return {
    ...change,
    impacts: change.impacts.map((impact) => (impact.consequence === "restart" ? unplanned(impact) : impact)),
  };
}

/** Each server would refuse the whole file. */
const wouldBeRefused = ({ says }: Impact): Impact => ({
  consequence: "blocked",
  says: `${says}, and no server is restarted: each would refuse the whole file and go on with the old one`,
  hint: "The pods' annotation circl.dev/restart-config must change with it: run circl synth, and apply both.",
});

/** A deploy was cut off before its restarts: what it brought is in the cluster, and the servers run with what they had before. */
const staysLoaded = ({ says }: Impact): Impact => ({
  consequence: "reload",
  says: `${says}, and no server was restarted for what is there now: they run with this one still`,
});

/** The gravest of all consequences, for the exit code. */
export const isBlocked = (changes: readonly ObjectChange[]): boolean =>
  changes.some(({ impacts, conflicts }) => has(impacts, "blocked") || conflicts.length > 0);

/**
 * Whether a deploy would change anything. What only the cluster has stays there without `prune`, and with it where it holds something:
 * counted, it would be a change for ever.
 */
export const hasChanges = (changes: readonly ObjectChange[], prune: boolean): boolean =>
  changes.some(({ action, kind }) => (action === "superfluous" ? prune && isHarmless(kind) : action !== "none"));

/** Whether an object carries our mark: only such ones are ever counted as superfluous. */
export const isOurs = ({ metadata: { labels = {} } }: KubeObject, environment: string): boolean =>
  labels["app.kubernetes.io/managed-by"] === "circl" &&
  labels["app.kubernetes.io/part-of"] === PART_OF &&
  labels["circl.dev/environment"] === environment;
