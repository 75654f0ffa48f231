/** Desired against observed: what would have to change, asset by asset, field by field. Says nothing about what it means. */
import { isDeepStrictEqual } from "node:util";
import type { Model } from "../model/resolve.ts";
import { atLeast, parseVersion } from "../model/version.ts";
import type { ConsumerInfo, StreamInfo } from "./api.ts";
import { type DesiredState, desiredState, type WireConfig } from "./desired.ts";
import { type ConsumerLimits, normaliseConsumer, normaliseStream } from "./normalise.ts";
import type { Observed, ObservedConsumers } from "./observe.ts";
import { guardName, isGuard, isLeftover, keepingStart, placeOf } from "./recreate.ts";

/** `from` and `to` are undefined where the field is absent on that side. */
export interface FieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

interface Asset {
  readonly kind: "stream" | "consumer";
  /** `circl_iot`, or `circl_iot/bff-iot` for a consumer. */
  readonly name: string;
  readonly stream: string;
}

/** One line of a plan. `config` is the complete configuration as it is sent. */
export type Change = Asset &
  (
    | { readonly action: "create"; readonly config: WireConfig }
    | {
        readonly action: "update";
        readonly config: WireConfig;
        readonly fields: readonly FieldChange[];
        readonly live: LiveAsset;
      }
    /** A consumer that cannot be updated, named by whoever runs this; or one that an interrupted run left behind its guard. */
    | {
        readonly action: "recreate";
        readonly config: WireConfig;
        readonly fields: readonly FieldChange[];
        /** Of the consumer, or of its guard where it is gone. */
        readonly live: { readonly kind: "consumer"; readonly info: ConsumerInfo };
        readonly place: "floor" | "guard" | "queue" | "declared";
      }
    /** Ours, no longer in streams/, and named by whoever runs this. */
    | {
        readonly action: "delete";
        readonly live: LiveAsset;
        /** A guard that an interrupted run of ours left behind: it goes without being named. */
        readonly leftover?: true;
      }
    | { readonly action: "none" }
    /** It exists and cannot be asked: neither created, changed nor deleted. */
    | { readonly action: "unknown"; readonly why: string }
    /** It is on the server and not in streams/: left alone. */
    | { readonly action: "unmanaged"; readonly live?: LiveAsset; readonly owned: boolean }
  );

export type LiveAsset =
  | { readonly kind: "stream"; readonly info: StreamInfo }
  | { readonly kind: "consumer"; readonly info: ConsumerInfo };

/** What whoever runs this has named. */
export interface Named {
  /** Assets that may go; those that are not ours, or are declared, stay whatever is named. */
  readonly deletions?: readonly string[];
  /** Consumers that may be deleted and created again. */
  readonly recreations?: readonly string[];
}

/** Every declared and every observed asset, streams before their consumers, by name. Consumers of a stream that is deleted go with it. */
export function diff(model: Model, observed: Observed, { deletions = [], recreations = [] }: Named = {}): Change[] {
  const desired = desiredState(model);
  const changes = [
    ...streamChanges(desired, observed, model),
    ...consumerChanges(desired, observed, model, { deletions, recreations }),
  ];
  const all = changes.map((change) => (deletions.includes(change.name) ? toDelete(change) : change));
  const gone = all.filter(({ kind, action }) => kind === "stream" && action === "delete").map(({ name }) => name);
  return all
    .filter(({ kind, action, stream }) => !(kind === "consumer" && action === "delete" && gone.includes(stream)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const toDelete = (change: Change): Change =>
  change.action === "unmanaged" && change.owned && change.live
    ? { kind: change.kind, name: change.name, stream: change.stream, action: "delete", live: change.live }
    : change;

function* streamChanges(desired: DesiredState, observed: Observed, model: Model): Generator<Change> {
  const rules = { hasSourceWindow: !atLeast(parseVersion(observed.server.version) ?? newest, "2.14") };
  const live = new Map(observed.streams.map((stream) => [stream.name, stream]));
  for (const config of desired.streams) {
    const name = String(config.name);
    const asset = { kind: "stream", name, stream: name } as const;
    const found = live.get(name);
    if (!found) yield { ...asset, action: "create", config };
    else if (found.status === "unknown") yield { ...asset, action: "unknown", why: found.why };
    else {
      const fields = compare(normaliseStream(found.info.config, rules), normaliseStream(config, rules));
      yield fields.length === 0
        ? { ...asset, action: "none" }
        : { ...asset, action: "update", config, fields, live: { kind: "stream", info: found.info } };
    }
  }
  const declared = new Set(desired.streams.map(({ name }) => name));
  for (const found of observed.streams.filter(({ name }) => !declared.has(name))) {
    const asset = { kind: "stream", name: found.name, stream: found.name, action: "unmanaged" } as const;
    yield found.status === "unknown"
      ? { ...asset, action: "unknown", why: found.why }
      : { ...asset, owned: isOurs(found.info.config, model), live: { kind: "stream", info: found.info } };
  }
}

function* consumerChanges(
  desired: DesiredState,
  observed: Observed,
  model: Model,
  { deletions = [], recreations = [] }: Named,
): Generator<Change> {
  const declared = new Set<string>();
  const streams = new Map(desired.streams.map((config) => [config.name, config]));
  const unknown = new Set(observed.streams.filter(({ status }) => status === "unknown").map(({ name }) => name));
  for (const { stream_name: stream, config } of desired.consumers) {
    const name = `${stream}/${config.name}`;
    const asset = { kind: "consumer", name, stream } as const;
    declared.add(name);
    const there = observed.consumers.get(stream);
    const found = there?.known.find((info) => info.name === config.name);
    const guarding = there?.known.find((info) => isGuard(info, String(config.name)) && isOurs(info.config, model));
    // One whose place the consumer did not take is an asset like others: it goes when it is named.
    const guard = guarding && found && !isLeftover(guarding, found) ? undefined : guarding;
    if (guard) declared.add(`${stream}/${guard.name}`);
    const why = unknown.has(stream) ? STREAM_UNKNOWN : whyUnknown(String(config.name), there);
    if (why !== undefined) yield { ...asset, action: "unknown", why };
    else if (!found && guard)
      yield {
        ...asset,
        action: "recreate",
        config,
        fields: [],
        live: { kind: "consumer", info: guard },
        place: "guard",
      };
    else if (!found) yield { ...asset, action: "create", config };
    else {
      const { consumer_limits, retention } = streams.get(stream) ?? {};
      const limits = knownLimits(observed, consumer_limits as ConsumerLimits | undefined);
      const wanted = keepingStart(config, found.config);
      const fields = compare(
        normaliseConsumer(found.config, wanted, limits),
        normaliseConsumer(wanted, wanted, limits),
      );
      const live = { kind: "consumer", info: found } as const;
      const recreated = fields.length > 0 && recreations.includes(name);
      if (fields.length === 0) yield { ...asset, action: "none" };
      else if (recreated)
        yield { ...asset, action: "recreate", config, fields, live, place: placeOf(fields, retention) };
      else yield { ...asset, action: "update", config: wanted, fields, live };
      // Recreating behind the ack floor takes the guard away itself.
      if (guard && !(recreated && placeOf(fields, retention) === "floor")) {
        const leftover = { kind: "consumer", name: `${stream}/${guard.name}`, stream, leftover: true } as const;
        yield { ...leftover, action: "delete", live: { kind: "consumer", info: guard } };
      }
    }
  }
  const undeclared = (stream: string, name: string): Asset | undefined =>
    declared.has(`${stream}/${name}`) ? undefined : { kind: "consumer", name: `${stream}/${name}`, stream };
  for (const [stream, there] of observed.consumers) {
    for (const { name, why } of there.unknown) {
      const asset = undeclared(stream, name);
      if (asset) yield { ...asset, action: "unknown", why };
    }
    for (const info of there.known) {
      const asset = undeclared(stream, info.name);
      // Those of a stream that is not declared go with it or stay with it, unless one of them is named.
      if (!asset || !(streams.has(stream) || deletions.includes(asset.name))) continue;
      yield {
        ...asset,
        action: "unmanaged",
        owned: isOurs(info.config, model),
        live: { kind: "consumer", info },
      };
    }
  }
  for (const name of deletions) {
    const [stream = "", consumer] = name.split("/");
    const asset = consumer && unknown.has(stream) ? undeclared(stream, consumer) : undefined;
    if (asset) yield { ...asset, action: "unknown", why: STREAM_UNKNOWN };
  }
}

const STREAM_UNKNOWN = "its stream is unknown";

/** A consumer whose guard does not answer is not absent: created anew, it would lose the place that the guard keeps. */
function whyUnknown(consumer: string, { known, unknown }: ObservedConsumers = NONE): string | undefined {
  const itself = unknown.find(({ name }) => name === consumer);
  if (itself) return itself.why;
  if (known.some(({ name }) => name === consumer)) return undefined;
  const guard = unknown.find(({ name }) => name === guardName(consumer));
  return guard && `${guard.name}, which keeps its place, cannot be asked: ${guard.why}`;
}
const NONE: ObservedConsumers = { known: [], unknown: [] };

/** What consumers take from their stream; where the account has a limit of its own too, that is the server's to compute. */
const knownLimits = ({ account }: Observed, limits: ConsumerLimits = {}): ConsumerLimits | undefined =>
  Number(account.limits.max_ack_pending) > 0 ? undefined : limits;

/** Whether the asset carries the mark of this environment. Only these can ever be pruned. */
const isOurs = ({ metadata }: WireConfig, { environment }: Model): boolean =>
  (metadata as Record<string, string> | undefined)?.["circl.dev/environment"] === environment.name;

/** Fields in which two normalised configurations differ. */
export function compare(live: WireConfig, desired: WireConfig): FieldChange[] {
  // Nearly all assets are as they should be: one comparison for those.
  if (isDeepStrictEqual(live, desired)) return [];
  const fields = [...new Set([...Object.keys(live), ...Object.keys(desired)])].sort();
  return fields
    .filter((field) => !isDeepStrictEqual(live[field], desired[field]))
    .map((field) => ({ field, from: live[field], to: desired[field] }));
}

/** A server that names no version is taken for a new one: that computes least on its own. */
const newest = { major: 2, minor: 15, patch: 0 };
