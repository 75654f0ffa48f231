/** Definitions from what is there already: wire configurations in, the same streams in the words of streams/*.ts out. */
import { type ConsumerInput, SERVER, type StreamInput } from "../model/stream.ts";
import { covers } from "../model/subject.ts";
import { nanoseconds } from "../units.ts";
import type { WireConfig } from "./desired.ts";
import { type ImportedBucket, importBucket } from "./import-buckets.ts";
import { CONSUMER_FIELDS, readFields, STREAM_FIELDS, type Unsaid } from "./import-fields.ts";
import { type Seen, seenPatterns } from "./import-subjects.ts";

/** A stream as it was found. */
export interface FoundStream {
  readonly config: WireConfig;
  readonly consumers: readonly WireConfig[];
  /** Messages by subject; only a live server knows. */
  readonly subjects?: ReadonlyMap<string, number>;
  /** Whether the server gives copies a duplicate window of its own (below 2.14). */
  readonly hasSourceWindow?: boolean;
}

export interface Imported {
  readonly definition: StreamInput;
  /** How it is written, where it is what clients know as a bucket or an object store. */
  readonly bucket?: ImportedBucket;
  /** What lies in it, busiest first. */
  readonly seen: readonly Seen[];
  /** What definitions cannot say of the stream itself; a plan would take it away. */
  readonly unsaid: readonly Unsaid[];
  /** Consumers that are not in the definition: half a consumer would be another one. */
  readonly leftOut: readonly LeftOut[];
}

/** No `unsaid` is a consumer that needs no definition, because it goes by itself. */
export interface LeftOut {
  readonly name: string;
  readonly unsaid: readonly Unsaid[];
}

/** Stands where only people know the service. It is declared nowhere, so `circl check` asks for it (S005). */
export const UNKNOWN_SERVICE = "unknown";

/** @param services names of the declared services, to recognise those that consumers are named after */
export function importStream(found: FoundStream, services: readonly string[]): Imported {
  const { said, unsaid } = readFields(found.config, STREAM_FIELDS);
  const consumers = found.consumers.map((config) => importConsumer(config, found.config, services));
  const defined = consumers.flatMap(({ definition }) => (definition ? [definition] : []));
  const {
    name,
    description,
    subjects,
    sources,
    mirror,
    retention = "limits",
    storage = "file",
    discard = "old",
    replicas = 1,
    ...figures
  } = said;
  const definition = withoutAbsent({
    name,
    description,
    subjects,
    sources,
    mirror,
    retention,
    storage,
    discard,
    replicas,
    ...figures,
    ...(hasUsualWindow(found) ? { duplicateWindow: undefined } : {}),
    // The server copies it from the origin, whatever is asked for.
    ...(mirror ? { mirrorDirect: undefined } : {}),
    publishers: publishersOf(found),
    consumers: defined.length > 0 ? defined : undefined,
  }) as unknown as StreamInput;
  return {
    definition,
    ...importBucket(definition),
    seen: definition.subjects ? seenPatterns(found.subjects ?? new Map()) : [],
    unsaid,
    leftOut: consumers.flatMap(({ leftOut }) => (leftOut ? [leftOut] : [])),
  };
}

/** Whether the duplicate window is the one that the server computes. */
function hasUsualWindow({ config, hasSourceWindow = false }: FoundStream): boolean {
  const { duplicate_window, max_age, sources } = config;
  if (Array.isArray(sources) && sources.length > 0 && !hasSourceWindow) return false;
  const usual = nanoseconds("2m");
  return duplicate_window === (Number(max_age) > 0 ? Math.min(usual, Number(max_age)) : usual);
}

/**
 * One publisher for each subject of the stream that carries messages. That there are publishers is known, who they are and
 * what they send is not: the two words that stand for it make `circl check` ask (S005, S050). A guess would become a permission.
 */
function publishersOf({ config, subjects: seen }: FoundStream): StreamInput["publishers"] | undefined {
  const used = ((config.subjects ?? []) as string[]).filter((subject) =>
    [...(seen?.keys() ?? [])].some((stored) => config.subject_transform || covers(subject, stored)),
  );
  if (used.length === 0) return undefined;
  return used.map((subject) => ({
    service: ["$JS.EVENT.>", "$SYS.>"].some((own) => covers(own, subject)) ? SERVER : UNKNOWN_SERVICE,
    subject,
    data: { sensitivity: "unstated" },
  }));
}

interface ImportedConsumer {
  readonly definition?: ConsumerInput;
  readonly leftOut?: LeftOut;
}

function importConsumer(config: WireConfig, stream: WireConfig, services: readonly string[]): ImportedConsumer {
  // A pause is no configuration: it has a request of its own, and ends by itself.
  const { durable_name, pause_until: _, ...rest } = config;
  const name = String(durable_name || config.name || "without a name");
  if (!durable_name) return { leftOut: { name, unsaid: [] } };
  const { said, unsaid } = readFields({ ...rest, name }, CONSUMER_FIELDS);
  if (unsaid.length > 0) return { leftOut: { name, unsaid } };
  const limits = (stream.consumer_limits ?? {}) as WireConfig;
  const acknowledges = ["explicit", "all"].includes(String(said.ackPolicy));
  const usualAckPending =
    limits.max_ack_pending || (acknowledges || said.ackPolicy === "flow_control" ? 1_000 : undefined);
  const definition = withoutAbsent({
    name,
    service: services.find((service) => service === name.split("-")[0]) ?? UNKNOWN_SERVICE,
    ...said,
    ackPolicy: said.ackPolicy ?? "none",
    ...(acknowledges ? { ackWait: said.ackWait ?? "30s", maxDeliver: said.maxDeliver ?? -1 } : {}),
    // Where these are what the server or the stream gives by itself, nobody has chosen them.
    maxWaiting: said.maxWaiting === 512 ? undefined : said.maxWaiting,
    maxAckPending: said.maxAckPending === usualAckPending ? undefined : said.maxAckPending,
    inactiveThreshold: config.inactive_threshold === limits.inactive_threshold ? undefined : said.inactiveThreshold,
  }) as unknown as ConsumerInput;
  return { definition };
}

const withoutAbsent = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
