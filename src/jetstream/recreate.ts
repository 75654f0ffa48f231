/**
 * Recreates a consumer where an update is refused, without losing its place: the new one of the same name starts behind the
 * ack floor of the old. Between the two a guard, a consumer that nobody reads, keeps the place on the server: an interrupted
 * run is finished by the next apply, and a stream with retention interest keeps the messages meanwhile.
 */
import { ApiError, type ConsumerInfo, type Writer } from "./api.ts";
import { writeConsumer } from "./consumer-write.ts";
import type { WireConfig } from "./desired.ts";
import type { Change, FieldChange } from "./diff.ts";
import { stillThere } from "./gone.ts";

export type Recreated = Extract<Change, { action: "recreate" }>;

/** Metadata of a consumer that starts elsewhere than its definition says: the start that was declared then. */
const DECLARED_START = "circl.dev/declared-start";

/** Where a consumer starts, in the words of its configuration: `all`, `by_start_sequence 500`. */
export const startOf = ({ deliver_policy = "all", opt_start_seq, opt_start_time }: WireConfig): string =>
  [deliver_policy, opt_start_seq, opt_start_time].filter((part) => part !== undefined).join(" ");

/** `config`, but starting at `sequence`. */
function startingAt(config: WireConfig, sequence: number): WireConfig {
  const { opt_start_time: _, ...rest } = config;
  return {
    ...rest,
    deliver_policy: "by_start_sequence",
    opt_start_seq: sequence,
    metadata: { ...(config.metadata as object), [DECLARED_START]: startOf(config) },
  };
}

/** Whether a guard keeps the place meanwhile. A work queue takes none, and a start that is declared needs none. */
export const isGuarded = ({ place }: Recreated): boolean => place === "floor" || place === "guard";

/** What is wanted of a consumer that is there: one that was recreated keeps its start for as long as the declared start is the same. */
export function keepingStart(config: WireConfig, { metadata, opt_start_seq }: WireConfig): WireConfig {
  const mark = (metadata as Record<string, string> | undefined)?.[DECLARED_START];
  return mark === startOf(config) ? startingAt(config, Number(opt_start_seq)) : config;
}

/** Metadata of a guard: whose place it keeps. */
const GUARDS = "circl.dev/guards";

/** Of the consumer that keeps the place of `consumer` while that is recreated. */
export const guardName = (consumer: string): string => `${consumer}-recreating`;

/** Whether a consumer is the guard of `consumer`, and not merely called like one. */
export const isGuard = ({ name, config }: Pick<ConsumerInfo, "name" | "config">, consumer: string): boolean =>
  name === guardName(consumer) && (config.metadata as Record<string, string> | undefined)?.[GUARDS] === consumer;

/**
 * Whether `guard` keeps no place any more that `consumer` has not: that was there before it, or started where it begins. Whoever
 * else created a consumer under that name meanwhile did not ask for the place.
 */
export const isLeftover = (guard: ConsumerInfo, consumer: ConsumerInfo): boolean =>
  Date.parse(consumer.created) < Date.parse(guard.created) ||
  ((consumer.config.metadata as Record<string, string> | undefined)?.[DECLARED_START] !== undefined &&
    consumer.config.opt_start_seq === guard.config.opt_start_seq);

/**
 * Where the new one starts. A start that is declared anew is meant; otherwise it goes on where the old one was.
 * A work queue refuses a start, and holds what was not acknowledged anyway.
 */
export function placeOf(fields: readonly FieldChange[], retention: unknown): Recreated["place"] {
  if (retention === "workqueue") return "queue";
  return fields.some(({ field }) => START_FIELDS.includes(field)) ? "declared" : "floor";
}
const START_FIELDS = ["deliver_policy", "opt_start_seq", "opt_start_time"];

/** A pause that lasts goes on: somebody has stopped this consumer for a reason. */
const pauseOf = ({ pause_until }: WireConfig): WireConfig =>
  Date.parse(String(pause_until)) > Date.now() ? { pause_until } : {};

/**
 * Deletes and creates. The ack floor is read again right before: whoever reads goes on until then.
 * @param timeout milliseconds for what is deleted to be gone
 * @throws Error where the old one is gone and the new one was refused, or where one is deleted and still there; its place is kept
 */
export async function recreate(change: Recreated, writer: Writer, timeout: number): Promise<void> {
  const { stream, place } = change;
  const consumer = String(change.config.name);
  const guard = guardName(consumer);
  const config = { ...change.config, ...pauseOf(change.live.info.config) };
  const remove = async (name: string): Promise<void> => {
    await writer.write("CONSUMER.DELETE", [stream, name]);
    const error = await stillThere({ name: `${stream}/${name}`, stream, consumer: name }, writer, Date.now() + timeout);
    if (error) throw error;
  };
  if (place === "queue" || place === "declared") {
    await remove(consumer);
    const rest = place === "queue" ? "What it had not acknowledged is still in the queue" : "It starts where it says";
    return await created(change, config, rest, writer);
  }
  const start =
    place === "guard" ? Number(change.live.info.config.opt_start_seq) : await placeGuard(change, guard, writer, remove);
  if (place === "floor") await remove(consumer);
  await created(
    change,
    startingAt(config, start),
    `${stream}/${guard} keeps its place, before message ${start}`,
    writer,
  );
  await remove(guard);
}

/** @returns the sequence that the new consumer starts at */
async function placeGuard(
  { stream, config, live }: Recreated,
  guard: string,
  writer: Writer,
  remove: (name: string) => Promise<void>,
): Promise<number> {
  const consumer = String(config.name);
  const info = await writer.read<ConsumerInfo>("CONSUMER.INFO", [stream, consumer]);
  const start = info.ack_floor.stream_seq + 1;
  const there = await writer.read<ConsumerInfo>("CONSUMER.INFO", [stream, guard]).catch((error: unknown) => {
    if (error instanceof ApiError && error.errCode === NO_CONSUMER) return undefined;
    throw error;
  });
  if (there && !isGuard(there, consumer)) {
    throw new Error(`${stream}/${guard} is in the way: it is somebody's consumer, and recreating needs the name`);
  }
  if (there && !isLeftover(there, info)) {
    const says = `${stream}/${guard} keeps a place that ${consumer}, created since by somebody else, has not`;
    throw new Error(`${says}. Delete one of the two first: --allow-delete ${stream}/${guard} gives the place up`);
  }
  // One that an interrupted run left behind is older than this floor.
  if (there) await remove(guard);
  const { filter_subject, filter_subjects, num_replicas, metadata } = config;
  const filters = { ...(filter_subject ? { filter_subject } : {}), ...(filter_subjects ? { filter_subjects } : {}) };
  const guarding = {
    name: guard,
    durable_name: guard,
    description: `Keeps the place of ${consumer} while that is recreated`,
    ack_policy: "explicit",
    deliver_policy: "by_start_sequence",
    opt_start_seq: start,
    ...filters,
    ...(num_replicas ? { num_replicas } : {}),
    ...pauseOf(live.info.config),
    metadata: { ...(metadata as object), [GUARDS]: consumer },
  };
  await writeConsumer(stream, guarding, "create", writer);
  return start;
}

const NO_CONSUMER = 10014;

async function created({ stream, name }: Recreated, config: WireConfig, kept: string, writer: Writer): Promise<void> {
  try {
    await writeConsumer(stream, config, "create", writer);
  } catch (cause) {
    const reason = (cause as Error).message;
    const says = `${name} is deleted and was not created again: ${reason}. ${kept}: apply again once that is mended`;
    throw new Error(says, { cause });
  }
}
