/** What an apply would do: changes with what they lose, what the server refuses, and what leave each one needs. */
import type { Model } from "../model/resolve.ts";
import { parseVersion, type Version } from "../model/version.ts";
import type { PresentServer, Reader, ServerIdentity } from "./api.ts";
import { type Change, diff, type Named } from "./diff.ts";
import type { Effect } from "./effect.ts";
import { effectsOf } from "./effects.ts";
import { measure } from "./measure.ts";
import type { ConsumerLimits } from "./normalise.ts";
import { type Observed, observe } from "./observe.ts";
import { inParallel } from "./pager.ts";
import { type Refusal, refusals } from "./refusals.ts";
import { remainingSteps, steppedModel } from "./retention-step.ts";
import { assertKnownVersions } from "./server-age.ts";

export interface PlannedChange {
  readonly change: Change;
  readonly effects: readonly Effect[];
  /** Reasons why the server would refuse it; nothing is applied while there is one. */
  readonly refusals: readonly Refusal[];
}

/** What policy says about a planned change. Comes from the edges, which know the P rules. */
export interface Verdict {
  readonly code: string;
  /** error: not without leave, or not at all; warning: said. */
  readonly severity: "error" | "warning";
  readonly says: string;
  readonly hint: string;
  /** The option that gives leave, for example `--allow-loss circl_iot`; missing where nothing does. */
  readonly leave?: string;
}
export type Policy = (planned: PlannedChange) => readonly Verdict[];

export interface Plan {
  readonly environment: string;
  readonly server: ServerIdentity & {
    readonly apiLevel?: number;
    readonly account?: string;
    /** Servers that are there, as far as this user can know. */
    readonly peers: number;
    /** How many there should be. */
    readonly declared: number;
    /** Those whose version is another than that of the server that answers. */
    readonly others?: readonly PresentServer[];
  };
  readonly changes: readonly (PlannedChange & { readonly verdicts: readonly Verdict[] })[];
  readonly summary: Summary;
  /** Names that were given for nothing: what they ask for is so already. A run that is repeated names what is done. */
  readonly notes: readonly string[];
  /** What it was made from, for an apply that looks again. */
  readonly basis: Basis;
}

export interface Basis {
  readonly model: Model;
  readonly observed: Observed;
}

export interface Summary {
  readonly create: number;
  readonly update: number;
  readonly recreate: number;
  readonly delete: number;
  readonly blocked: number;
  readonly unknown: number;
  readonly unmanaged: number;
  readonly unchanged: number;
}

export interface PlanScope extends Named {
  /** Names of streams that alone are looked at, consumers with them. @default all */
  readonly targets?: readonly string[];
  /** Nanoseconds by which an age limit may fall in this run. @default all the way */
  readonly retentionStep?: number;
}

/**
 * Compares the model with what `reader` sees.
 * @param now nanoseconds since 1970, for what an age limit would delete
 * @throws WrongCluster where the server is not the one that the environment names; ServerTooOld
 */
export async function plan(
  model: Model,
  reader: Reader,
  policy: Policy,
  now: number,
  scope: PlanScope = {},
): Promise<Plan> {
  assertCluster(model, reader.server);
  assertKnownVersions([reader.server]);
  const { servers: declared } = model.environment.nats;
  // Never fails, and takes a moment only where a server is away.
  const asked = reader.presence(declared);
  const { deletions = [], targets, retentionStep = Number.POSITIVE_INFINITY } = scope;
  const streamsOf = deletions.map((name) => name.split("/", 1).join());
  const observed = await observe(reader, [...model.streams.map(({ name }) => name), ...streamsOf]);
  const version = versionOf(observed);
  const next = steppedModel(model, observed, retentionStep, now);
  const basis = { model: next, observed };
  const all = diff(next, observed, scope);
  const unknowns = all.filter(({ action }) => action === "unknown").map(({ name }) => name);
  const notes = [...assertDeletable(deletions, all, targets)];
  const inScope = targets ? all.filter(({ stream }) => targets.includes(stream)) : all;
  const present = await asked;
  assertKnownVersions(present?.servers ?? []);
  const around = { observed, changes: inScope, servers: present?.servers ?? [] };
  notes.push(...assertRecreatable(scope, inScope, observed, (update) => refusals(update, version, around).length > 0));
  const changes = await inParallel(inScope, async (change) => {
    const planned = {
      change,
      effects: [...(await effectsNow(change, basis, reader, now)), ...remainingSteps(change, model)],
      refusals: [...refusals(change, version, around), ...blindDelete(change, unknowns)],
    };
    return { ...planned, verdicts: policy(planned) };
  });
  const { level } = observed.account.api;
  const others = (present?.servers ?? []).filter(({ version: other }) => other !== observed.server.version);
  return {
    environment: model.environment.name,
    server: {
      ...observed.server,
      ...(level === undefined ? {} : { apiLevel: level }),
      ...(present?.account ? { account: present.account } : {}),
      peers: peersSeen(observed, present?.servers),
      declared,
      ...(others.length > 0 ? { others } : {}),
    },
    changes,
    summary: summarise(changes),
    notes,
    basis,
  };
}

/** What a change loses, breaks or makes irreversible by what is observed in `basis`. @param now nanoseconds since 1970 */
export const effectsNow = async (
  change: Change,
  { model, observed }: Basis,
  reader: Reader,
  now: number,
): Promise<Effect[]> =>
  effectsOf(change, observed, model, versionOf(observed), now, await measure(change, reader, observed));

export const versionOf = ({ server }: Observed): Version => parseVersion(server.version) ?? UNKNOWN_VERSION;

/** While something cannot be asked, nothing is deleted: what looks superfluous may be all that is left of it. */
const blindDelete = (change: Change, unknowns: readonly string[]): Refusal[] =>
  change.action === "delete" && unknowns.length > 0
    ? [
        {
          field: "delete",
          errCode: 0,
          says: `nothing is deleted while ${unknowns.join(", ")} cannot be asked`,
          hint: "Wait until all servers are back.",
        },
      ]
    : [];

/** A name that was to be deleted and is not: better said than passed over. */
export class CannotDelete extends Error {
  override readonly name = "CannotDelete";
}

/** @returns what is gone already @throws CannotDelete */
function assertDeletable(names: readonly string[] = [], all: readonly Change[], targets?: readonly string[]): string[] {
  const gone = names.filter((name) => !all.some((change) => change.name === name));
  const why = (change: Change): string | undefined => {
    if (change.action === "unknown") return "cannot be asked";
    if (change.action === "unmanaged") return "does not carry the mark of this environment";
    if (change.action !== "delete") return "is declared in streams/";
    return targets && !targets.includes(change.stream) ? "lies outside --target" : undefined;
  };
  const wrong = all
    .filter(({ name }) => names.includes(name))
    .flatMap((change) => {
      const reason = why(change);
      return reason ? [`${change.name} ${reason}`] : [];
    });
  if (wrong.length > 0) throw new CannotDelete(`nothing was done: --allow-delete ${wrong.join("; ")}`);
  const deleted = all.filter(({ action }) => action === "delete").map(({ name }) => name);
  return gone.map((name) => {
    const stream = deleted.find((one) => name.startsWith(`${one}/`));
    return `--allow-delete ${name}: it ${stream ? `goes with ${stream}` : "is not there"}`;
  });
}

/** A consumer that was to be recreated and must not or need not be. */
export class CannotRecreate extends Error {
  override readonly name = "CannotRecreate";
}

/** @returns what is as it should be already @throws CannotRecreate */
function assertRecreatable(
  { recreations = [] }: Named,
  changes: readonly Change[],
  { streams }: Observed,
  isRefused: (update: Change) => boolean,
): string[] {
  const expires = (stream: string): boolean => {
    const found = streams.find(({ name }) => name === stream);
    const limits = found?.status === "known" ? (found.info.config.consumer_limits as ConsumerLimits) : undefined;
    return Number(limits?.inactive_threshold ?? 0) > 0;
  };
  const why = (name: string): string | undefined => {
    const change = changes.find((candidate) => candidate.name === name);
    if (change?.kind !== "consumer") return "is no consumer here (they are called stream/consumer)";
    if (change.action !== "recreate") return NOT_RECREATED[change.action];
    if (change.place === "guard") return undefined;
    if (!isRefused({ ...change, action: "update" })) return "can be changed in place: leave it out";
    return change.place === "floor" && expires(change.stream)
      ? "would lose its place: consumer_limits.inactive_threshold of the stream takes away whatever keeps it. Raise that to 0 first"
      : undefined;
  };
  const wrong = recreations.flatMap((name) => {
    const reason = why(name);
    return reason ? [`${name} ${reason}`] : [];
  });
  if (wrong.length > 0) throw new CannotRecreate(`nothing was done: --recreate ${wrong.join("; ")}`);
  return recreations
    .filter((name) => changes.some((change) => change.name === name && change.action === "none"))
    .map((name) => `--recreate ${name}: it is as it should be`);
}

const NOT_RECREATED = {
  none: undefined,
  create: "does not exist yet: it is created anyway",
  update: "can be changed in place",
  unknown: "cannot be asked",
  unmanaged: "is not in streams/",
  delete: "is to be deleted",
} as const;

/** The live cluster is another one than the environment's: nothing about it may be read into a plan, and nothing applied. */
export class WrongCluster extends Error {
  override readonly name = "WrongCluster";
}

/** @throws WrongCluster where `server` is not what the environment names */
export function assertCluster({ environment }: Model, server: ServerIdentity): void {
  const expected = `circl-${environment.name}`;
  const standalone = environment.nats.servers === 1;
  const fits = standalone ? server.name.startsWith(`${expected}-`) : server.cluster === expected;
  if (fits) return;
  const found = server.cluster ? `cluster ${server.cluster}` : `the standalone server ${server.name}`;
  const wanted = standalone ? `a server whose name begins with ${expected}-` : `cluster ${expected}`;
  throw new WrongCluster(
    `${server.url} is ${found}, but ${environment.name} is ${wanted}. Check --server, or name the environment that it is.`,
  );
}

/** Servers that answered, or that appear in any stream's group: one that is in a group and away still is of the cluster. */
function peersSeen({ streams, server }: Observed, answered: readonly PresentServer[] = []): number {
  const names = streams.flatMap((stream) =>
    stream.status === "known"
      ? [stream.info.cluster?.leader, ...(stream.info.cluster?.replicas ?? []).map(({ name }) => name)]
      : [],
  );
  const present = answered.map(({ name }) => name);
  return new Set([server.name, ...present, ...names.filter((name) => name !== undefined)]).size;
}

function summarise(changes: Plan["changes"]): Summary {
  const summary = {
    create: 0,
    update: 0,
    recreate: 0,
    delete: 0,
    blocked: 0,
    unknown: 0,
    unmanaged: 0,
    unchanged: 0,
  };
  for (const { change, refusals: reasons } of changes) {
    summary[reasons.length > 0 ? "blocked" : change.action === "none" ? "unchanged" : change.action] += 1;
  }
  return summary;
}

const UNKNOWN_VERSION: Version = { major: 2, minor: 14, patch: 0 };
