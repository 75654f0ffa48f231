/** Applies a plan: step by step, each write read back, nothing written over a state that has moved. */
import { setTimeout as sleep } from "node:timers/promises";
import { atLeast, parseVersion } from "../model/version.ts";
import { ApiError, type ClusterState, type ConsumerInfo, type StreamInfo, type Writer } from "./api.ts";
import type { WireConfig } from "./desired.ts";
import type { LiveAsset } from "./diff.ts";
import { acquireLock, LOCK_STREAM } from "./lock.ts";
import { normaliseConsumer, normaliseStream } from "./normalise.ts";
import { type Applied, inOrder, type Step } from "./order.ts";
import { inParallel } from "./pager.ts";
import type { Plan } from "./plan.ts";

export interface Outcome {
  readonly done: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: Error }[];
  /** Left out because something before them failed, or because it was interrupted. */
  readonly notStarted: readonly string[];
}

export interface ApplyOptions {
  /** Who applies, for those who wait. */
  readonly holder: string;
  /** Milliseconds to wait for another apply. */
  readonly lockWait: number;
  /** Asked before every change: true stops after those that run. */
  readonly interrupted: () => boolean;
  /** Told after every change. */
  readonly progress: (name: string, action: Applied["action"]) => void;
  /** Milliseconds to wait for leader and replicas of a stream. */
  readonly readyTimeout: number;
}

/**
 * Applies every create, update and delete of `plan`, alone. A failed change stops whatever comes in later steps.
 * @throws LockHeld where somebody else applies
 */
export async function apply(plan: Plan, writer: Writer, options: ApplyOptions): Promise<Outcome> {
  const steps = inOrder(plan.changes.map(({ change }) => change));
  const isLock = ({ name }: Applied) => name === LOCK_STREAM;
  const first = steps.flatMap(({ changes }) =>
    changes.filter((change) => change.action === "create" && isLock(change)),
  );
  // The very first apply makes the stream that locks the others.
  const before = await applySteps([{ oneByOne: true, changes: first }], writer, options);
  const rest = steps.map((step) => ({ ...step, changes: step.changes.filter((change) => !first.includes(change)) }));
  if (before.failed.length > 0) {
    return { ...before, notStarted: rest.flatMap(({ changes }) => changes.map(({ name }) => name)).sort() };
  }
  await using lock = await acquireLock(writer, options.holder, options.lockWait);
  const interrupted = () => options.interrupted() || lock.lost();
  const after = await applySteps(rest, writer, { ...options, interrupted });
  return { ...after, done: [...before.done, ...after.done].sort() };
}

async function applySteps(steps: readonly Step[], writer: Writer, options: ApplyOptions): Promise<Outcome> {
  const done: string[] = [];
  const failed: { name: string; error: Error }[] = [];
  const notStarted: string[] = [];
  for (const { changes, oneByOne } of steps) {
    const blocked = failed.length > 0;
    const work = async (change: Applied) => {
      if (blocked || options.interrupted() || (oneByOne && failed.length > 0)) {
        notStarted.push(change.name);
        return;
      }
      try {
        await applyOne(change, writer, options);
        done.push(change.name);
        options.progress(change.name, change.action);
      } catch (error) {
        failed.push({ name: change.name, error: error instanceof Error ? error : new Error(String(error)) });
      }
    };
    if (oneByOne) for (const change of changes) await work(change);
    else await inParallel(changes, work);
  }
  return { done: done.sort(), failed, notStarted: notStarted.sort() };
}

async function applyOne(change: Applied, writer: Writer, { readyTimeout }: ApplyOptions): Promise<void> {
  if (change.action !== "create") await assertNotMoved(change.name, change.live, writer);
  if (change.action === "delete") {
    const consumer = change.live.kind === "consumer" ? [change.live.info.name] : [];
    await writer.write(`${change.kind === "stream" ? "STREAM" : "CONSUMER"}.DELETE`, [change.stream, ...consumer]);
    return;
  }
  if (change.kind === "stream") {
    const verb = change.action === "create" ? "STREAM.CREATE" : "STREAM.UPDATE";
    const reply = await writer.write<StreamInfo>(verb, [change.name], change.config);
    assertKept(change.name, normalised(reply.config, writer), normalised(change.config, writer));
    await streamReady(change.name, Number(change.config.num_replicas), writer, readyTimeout);
    return;
  }
  const consumer = String(change.config.name);
  const filter = typeof change.config.filter_subject === "string" ? [change.config.filter_subject] : [];
  const reply = await writer.write<ConsumerInfo>("CONSUMER.CREATE", [change.stream, consumer, ...filter], {
    stream_name: change.stream,
    config: change.config,
    action: change.action,
  });
  assertKept(
    change.name,
    normaliseConsumer(reply.config, change.config),
    normaliseConsumer(change.config, change.config),
  );
}

const normalised = (seen: WireConfig, { server }: Writer): WireConfig => {
  const version = parseVersion(server.version);
  return normaliseStream(seen, { hasSourceWindow: version !== undefined && !atLeast(version, "2.14") });
};

/** Between plan and apply somebody else may have changed the asset: what was approved is then not what would happen. */
async function assertNotMoved(name: string, live: LiveAsset, writer: Writer): Promise<void> {
  const [now, then] =
    live.kind === "stream"
      ? [await writer.read<StreamInfo>("STREAM.INFO", [name]), live.info].map(({ config }) =>
          normalised(config, writer),
        )
      : [await writer.read<ConsumerInfo>("CONSUMER.INFO", [live.info.stream_name, live.info.name]), live.info].map(
          ({ config }) => normaliseConsumer(config, config),
        );
  if (JSON.stringify(now) !== JSON.stringify(then)) {
    throw new Error(`${name} has changed since it was planned. Plan again and look at what is different now.`);
  }
}

/** Servers before 2.12 answer OK and drop the fields they do not know: that is no success. */
function assertKept(name: string, kept: WireConfig, sent: WireConfig): void {
  const lost = Object.keys(sent).filter((field) => JSON.stringify(kept[field]) !== JSON.stringify(sent[field]));
  if (lost.length > 0) {
    throw new Error(
      `${name}: the server did not keep ${lost.join(", ")}. It may be older than these fields: see its version above.`,
    );
  }
}

/** Waits until the stream has a leader, is not being reconfigured, and all replicas are current. */
async function streamReady(name: string, replicas: number, writer: Writer, timeout: number): Promise<void> {
  if (!writer.server.cluster) return;
  const end = Date.now() + timeout;
  for (let pause = 25; ; pause = Math.min(pause * 2, 500)) {
    const cluster = await clusterOf(name, writer);
    if (cluster && isReady(cluster, replicas)) return;
    if (Date.now() > end) {
      throw new Error(
        `${name} was written, but its ${replicas} replicas are not current after ${timeout / 1000} s. ` +
          "It goes on by itself: `circl plan` says when it is done.",
      );
    }
    await sleep(pause);
  }
}

/** Undefined while there is no leader to answer. */
async function clusterOf(name: string, writer: Writer): Promise<ClusterState | undefined> {
  try {
    return (await writer.read<StreamInfo>("STREAM.INFO", [name])).cluster;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

const isReady = ({ leader, desired, replicas = [] }: ClusterState, count: number): boolean =>
  Boolean(leader) &&
  desired === undefined &&
  replicas.length === count - 1 &&
  replicas.every(({ current, offline, lag = 0 }) => current && !offline && lag === 0);
