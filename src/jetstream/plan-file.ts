/** A plan as a file: what was reviewed, what it takes, and fingerprints by which a later apply knows whether it is still true. */
import { createHash } from "node:crypto";
import * as v from "valibot";
import type { Model } from "../model/resolve.ts";
import { beyondApproval, takenBy } from "./approved-loss.ts";
import { desiredState } from "./desired.ts";
import type { Change } from "./diff.ts";
import type { Plan, PlanScope } from "./plan.ts";

/** 2: with what each change takes. */
const FORMAT = 2;

const schema = v.object({
  formatVersion: v.literal(FORMAT),
  environment: v.string(),
  server: v.object({ cluster: v.optional(v.string()), name: v.string(), version: v.string() }),
  /** Of everything that streams/ and the environment ask for. */
  desired: v.string(),
  scope: v.object({
    deletions: v.array(v.string()),
    recreations: v.array(v.string()),
    targets: v.nullable(v.array(v.string())),
    retentionStep: v.nullable(v.number()),
  }),
  changes: v.array(
    v.object({
      kind: v.picklist(["stream", "consumer"]),
      name: v.string(),
      action: v.string(),
      fields: v.array(v.object({ field: v.string(), from: v.unknown(), to: v.unknown() })),
      /** Of the live configuration that the change starts from; empty for what is not there. */
      observed: v.string(),
      /** Messages and bytes that it deletes, as they were counted: what was approved. */
      takes: v.object({ messages: v.number(), bytes: v.number(), lastSequence: v.number() }),
    }),
  ),
});

export type PlanFile = v.InferOutput<typeof schema>;

/** Names and settings of streams, and nothing secret: there is nothing secret in a plan. */
export const toPlanFile = (plan: Plan, model: Model, scope: PlanScope): PlanFile => ({
  formatVersion: FORMAT,
  environment: plan.environment,
  server: {
    ...(plan.server.cluster ? { cluster: plan.server.cluster } : {}),
    name: plan.server.name,
    version: plan.server.version,
  },
  desired: digest(desiredState(model)),
  scope: {
    deletions: [...(scope.deletions ?? [])],
    recreations: [...(scope.recreations ?? [])],
    targets: scope.targets ? [...scope.targets] : null,
    retentionStep: scope.retentionStep ?? null,
  },
  changes: plan.changes
    .filter(({ change }) => change.action !== "none" && change.action !== "unmanaged")
    .map(({ change, effects }) => ({
      kind: change.kind,
      name: change.name,
      action: change.action,
      fields:
        "fields" in change
          ? change.fields.map(({ field, from, to }) => ({ field, from: from ?? null, to: to ?? null }))
          : [],
      observed: observedDigest(change),
      takes: takenBy({ change, effects }),
    })),
});

/** @throws Error for text that is no plan of this version */
export function readPlanFile(text: string): PlanFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new Error("it is no JSON", { cause });
  }
  const result = v.safeParse(schema, parsed);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${v.getDotPath(issue) ?? "it"} is not what a plan of format version ${FORMAT} has there`);
}

/** What is no longer as it was when the plan was made, one sentence each; empty where the plan still holds. */
export function movedSince(saved: PlanFile, now: PlanFile): string[] {
  const moved: string[] = [];
  if (saved.environment !== now.environment)
    return [`the plan is for ${saved.environment}, not for ${now.environment}`];
  if (saved.server.cluster !== now.server.cluster)
    moved.push(`the plan is for cluster ${saved.server.cluster ?? "none"}`);
  if (saved.server.version !== now.server.version) {
    moved.push(`the server was ${saved.server.version} and is ${now.server.version}`);
  }
  if (saved.desired !== now.desired) moved.push("what streams/ or environments/ ask for has changed");
  const before = new Map(saved.changes.map((change) => [change.name, change]));
  const after = new Map(now.changes.map((change) => [change.name, change]));
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [then, today] = [before.get(name), after.get(name)];
    if (!then) moved.push(`${name} was as it should be, and now there is something to ${today?.action}`);
    else if (!today) moved.push(`${name}: there is nothing to ${then.action} any more`);
    else if (then.action !== today.action || then.observed !== today.observed)
      moved.push(`${name} has changed on the server`);
    else if (JSON.stringify(then.fields) !== JSON.stringify(today.fields))
      moved.push(`${name} would change in another way than was planned`);
    else {
      const beyond = beyondApproval(then.takes, today.takes);
      if (beyond) moved.push(`${name}: ${beyond}`);
    }
  }
  return moved;
}

/** What a saved plan was asked to look at and leave to do. */
export const scopeIn = ({ scope }: PlanFile): PlanScope => ({
  deletions: scope.deletions,
  recreations: scope.recreations,
  ...(scope.targets ? { targets: scope.targets } : {}),
  ...(scope.retentionStep !== null ? { retentionStep: scope.retentionStep } : {}),
});

const observedDigest = (change: Change): string =>
  "live" in change && change.live ? digest(change.live.info.config) : "";

const digest = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");
