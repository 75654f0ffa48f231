/**
 * What the server refuses to change in place, known before it is asked. Source: configUpdateCheck (stream.go) and
 * checkNewConsumerConfig (consumer.go); the tests let 2.12.15, 2.14.9 and 2.15.2 judge, case by case.
 */
import { isDeepStrictEqual } from "node:util";
import { collide } from "../model/subject.ts";
import { atLeast, parseVersion, type Version } from "../model/version.ts";
import type { ConsumerInfo, PresentServer } from "./api.ts";
import { noRoom } from "./consumer-room.ts";
import type { WireConfig } from "./desired.ts";
import type { Change, FieldChange } from "./diff.ts";
import { circleOf } from "./moves.ts";
import { losesCopies, whileMoving } from "./moving.ts";
import { tooNew } from "./newer-fields.ts";
import { type ConsumerLimits, normaliseStream } from "./normalise.ts";
import type { Observed } from "./observe.ts";
import { beyondAccount } from "./storage.ts";

export interface Refusal {
  readonly field: string;
  /** The server's err_code; 10052 is "invalid configuration" for anything about a stream. */
  readonly errCode: number;
  readonly says: string;
  readonly hint: string;
}

/** Ways out that many rows share. */
const RECREATE =
  "Create a stream under another name, let it copy this one, move readers and writers, then delete this one.";
const RECREATE_CONSUMER =
  "Name it with --recreate (stream/consumer): it is deleted, and a new one of the same name starts behind its ack floor.";

/** What else is known when a plan is made: without it, only what one asset alone decides is refused. */
export interface Surroundings {
  readonly observed: Observed;
  /** Of the whole plan, this one included. */
  readonly changes: readonly Change[];
  /** All servers of the cluster, as far as they answered: any of them may be the one that a change is put to. */
  readonly servers?: readonly PresentServer[];
}
interface Context {
  readonly version: Version;
  readonly change: Written;
  readonly around?: Surroundings | undefined;
}
interface Named {
  readonly name: string;
  readonly version: Version;
}
type Written = Extract<Change, { action: "create" | "update" }>;
type Row = (field: FieldChange, context: Context) => Omit<Refusal, "field"> | undefined;

const never =
  (says: string, errCode = 10052, hint = RECREATE): Row =>
  () => ({ errCode, says, hint });
const oneWay =
  (says: string): Row =>
  ({ from, to }) =>
    from === true && to !== true ? { errCode: 10052, says, hint: RECREATE } : undefined;

const STREAM_ROWS: Readonly<Record<string, Row>> = {
  storage: never("the storage type cannot change"),
  retention: ({ from, to }, { version, change, around }) => {
    if (from === "workqueue" || to === "workqueue") {
      return { errCode: 10052, says: "retention cannot change to or from workqueue", hint: RECREATE };
    }
    if (to !== "interest") return undefined;
    const emptied = around && uninterested(change, around.observed);
    if (emptied || atLeast(version, "2.15")) return emptied;
    const replicas = Number(change.config.num_replicas ?? 1);
    const other = (around?.observed.consumers.get(change.stream)?.known ?? []).filter(
      ({ config }) => Number(config.num_replicas) > 0 && config.num_replicas !== replicas,
    );
    return around?.observed.server.cluster && other.length > 0
      ? {
          errCode: 10051,
          says: `${other.map(({ name }) => name).join(", ")} must have ${replicas} replicas, or as many as the stream`,
          hint: "Leave `replicas` out of these consumers, apply, then change the retention.",
        }
      : undefined;
  },
  max_consumers: (_, { version }) =>
    atLeast(version, "2.12.5")
      ? undefined
      : { errCode: 10052, says: "max_consumers cannot change before 2.12.5", hint: "Update the servers first." },
  mirror: ({ to }, { version }) =>
    to === undefined && atLeast(version, "2.12")
      ? undefined
      : { errCode: 10055, says: "a mirror cannot be added or changed", hint: RECREATE },
  sealed: oneWay("a sealed stream stays sealed"),
  deny_delete: oneWay("deny_delete cannot be taken back"),
  deny_purge: oneWay("deny_purge cannot be taken back"),
  allow_msg_ttl: oneWay("message TTLs cannot be switched off"),
  allow_msg_schedules: oneWay("message schedules cannot be switched off"),
  allow_msg_counter: never("the counter setting cannot change"),
  persist_mode: never("the persist mode cannot change"),
  allow_atomic: ({ to }, { change }) =>
    to === true && change.config.persist_mode === "async"
      ? { errCode: 10052, says: "there are no atomic batches with persist mode async", hint: RECREATE }
      : undefined,
  consumer_limits: ({ to }, { change, around }) => {
    const violators = violating(
      (to ?? {}) as ConsumerLimits,
      around?.observed.consumers.get(change.stream)?.known ?? [],
    );
    return violators.length === 0
      ? undefined
      : {
          errCode: 10069,
          says: `the limits are below what ${violators.join(", ")} has`,
          hint: "Change the consumers first: streams are applied before them.",
        };
  },
  num_replicas: ({ from, to }, { version, change, around }) => {
    const live = change.action === "update" && change.live.kind === "stream" ? change.live.info : undefined;
    const fewer = Number(to) < Number(from) && live && around?.observed.server.cluster ? losesCopies(live) : undefined;
    if (fewer || Number(to) <= 1) return fewer;
    if (change.config.persist_mode === "async") {
      return { errCode: 10052, says: "persist mode async keeps one replica", hint: RECREATE };
    }
    // 2.12 and the first patches of 2.14 take it and keep one replica nevertheless.
    return around && !around.observed.server.cluster && atLeast(version, "2.14.9")
      ? { errCode: 10074, says: "a standalone server keeps one replica", hint: "Leave `replicas` at 1 here." }
      : undefined;
  },
  // The server takes it without a word and empties the stream at its next start (filestore.go, newFileStore).
  first_seq: never(
    "a changed first sequence empties the stream when its server restarts; the server does not refuse it, we do",
    0,
  ),
};

const CONSUMER_ROWS: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    [
      "deliver_policy",
      "opt_start_seq",
      "opt_start_time",
      "ack_policy",
      "replay_policy",
      "idle_heartbeat",
      "flow_control",
      "max_waiting",
    ].map((field) => [field, never(`${field} cannot change`, 10012, RECREATE_CONSUMER)]),
  ),
  mem_storage: (_, { version }) =>
    atLeast(version, "2.14.4")
      ? { errCode: 10012, says: "the storage type cannot change", hint: RECREATE_CONSUMER }
      : undefined,
  deliver_subject: ({ from, to }, { change }) => {
    if (from === undefined || to === undefined) {
      return { errCode: 10012, says: "a consumer stays with push or pull", hint: RECREATE_CONSUMER };
    }
    const live = change.action === "update" && change.live.kind === "consumer" ? change.live.info : undefined;
    return live?.push_bound
      ? { errCode: 10013, says: `somebody listens on ${from}`, hint: "Stop who listens there, then apply." }
      : undefined;
  },
};

/**
 * Every field of a create, an update or a recreate that a server, or we, would refuse.
 * @param version of the server that we are connected to
 */
export function refusals(change: Change, version: Version, around?: Surroundings): Refusal[] {
  const others = (around?.servers ?? []).flatMap(({ name, version: text }) => {
    const other = parseVersion(text);
    return other && !isDeepStrictEqual(other, version) ? [{ name, version: other }] : [];
  });
  const said = refusalsOf({ name: "this server", version }, change, around);
  for (const other of others) {
    const isSaid = ({ field, errCode }: Refusal) =>
      said.some((refusal) => refusal.field === field && refusal.errCode === errCode);
    said.push(...refusalsOf(other, change, around).filter((refusal) => !isSaid(refusal)));
  }
  return said;
}

function refusalsOf({ name, version }: Named, change: Change, around?: Surroundings): Refusal[] {
  if (change.action === "recreate") {
    return [...tooNew("consumer", change.config, version, name), ...(around ? noRoom(change, around) : [])];
  }
  if (change.action !== "update" && change.action !== "create") return [];
  const rows = change.kind === "stream" ? STREAM_ROWS : CONSUMER_ROWS;
  const context = { version, change, around };
  const fields = change.action === "update" ? change.fields : [];
  const single = fields.flatMap((field) => {
    const refusal = rows[field.field]?.(field, context);
    return refusal ? [{ field: field.field, ...refusal }] : [];
  });
  return [
    ...tooNew(change.kind, change.config, version, name),
    ...single,
    ...whileMoving(change, version, around),
    ...sealedForGood(change),
    ...(around ? [...takenSubjects(change, around), ...beyondAccount(change, around), ...noRoom(change, around)] : []),
  ];
}

/** Without a consumer 2.14.9 and 2.15 empty the stream inside an update to retention interest; the plan creates consumers behind it. */
function uninterested(change: Written, { consumers }: Observed): Omit<Refusal, "field"> | undefined {
  const messages = change.action === "update" && change.live.kind === "stream" ? change.live.info.state.messages : 0;
  const { known = [], unknown = [] } = consumers.get(change.stream) ?? {};
  if (messages === 0) return undefined;
  if (unknown.length > 0) {
    const says = `what goes depends on ${unknown.map(({ name }) => name).join(", ")}, which cannot be asked`;
    return { errCode: 0, says, hint: "Wait until all servers are back, then plan again." };
  }
  const says = `no consumer is interested, so all of ${messages} messages would go; the server does not refuse it, we do`;
  const hint = "Declare and apply the consumers first, then change the retention.";
  return known.length === 0 ? { errCode: 0, says, hint } : undefined;
}

/** Names of consumers whose own limits are above those. */
const violating = (limits: ConsumerLimits, consumers: readonly ConsumerInfo[]): string[] =>
  consumers
    .filter(({ config }) =>
      (["max_ack_pending", "inactive_threshold"] as const).some(
        (limit) => Number(config[limit] ?? 0) > (limits[limit] ?? Number.POSITIVE_INFINITY),
      ),
    )
    .map(({ name }) => name);

const subjectsOf = (config: WireConfig): readonly string[] =>
  normaliseStream(config, { hasSourceWindow: false }).subjects as readonly string[];

/** Subjects that another stream holds, now and after the plan. The server does not say which stream it is. */
function takenSubjects(change: Written, { observed, changes }: Surroundings): Refusal[] {
  if (change.kind !== "stream") return [];
  const written = changes.filter((other): other is Written => other.action === "create" || other.action === "update");
  const circle = circleOf(
    change,
    written.filter(({ kind }) => kind === "stream"),
  );
  if (circle.length > 0) {
    const says = `it exchanges subjects with ${circle.join(", ")}, and none of them can take before another lets go`;
    const hint =
      "Apply twice: first only let go of the subjects that move, then take them. Nobody captures them between.";
    return [{ field: "subjects", errCode: 10065, says, hint }];
  }
  const mine = subjectsOf(change.config);
  return observed.streams.flatMap((other) => {
    if (other.status === "unknown" || other.name === change.name) return [];
    // What is deleted goes before those that take its subjects.
    if (changes.some(({ name, action }) => name === other.name && action === "delete")) return [];
    const kept = written.find(({ name }) => name === other.name);
    const theirs = subjectsOf(kept?.config ?? other.info.config);
    const taken = mine.filter((subject) => theirs.some((held) => collide(subject, held)));
    if (taken.length === 0) return [];
    const says = `${other.name} captures ${taken.join(", ")}, or a part of it`;
    return [
      {
        field: "subjects",
        errCode: 10065,
        says,
        hint: "A subject belongs to one stream: take it from the other first.",
      },
    ];
  });
}

/** Sealing is an update. It sets deny_delete and deny_purge; one that leaves them out takes them back, says the server. */
function sealedForGood(change: Written): Refusal[] {
  if (change.action === "create" && change.config.sealed) {
    const hint = "Apply it without `sealed` first, then seal it.";
    return [{ field: "sealed", errCode: 10052, says: "a stream cannot be created sealed", hint }];
  }
  if (change.action !== "update" || change.live.info.config.sealed !== true) return [];
  const { sealed, deny_delete, deny_purge } = change.config;
  if (!sealed || (deny_delete && deny_purge)) return [];
  const says = "a sealed stream cannot be updated without deny_delete and deny_purge";
  return [
    { field: "sealed", errCode: 10052, says, hint: "Write `denyDelete: true` and `denyPurge: true` beside `sealed`." },
  ];
}
