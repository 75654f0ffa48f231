/** The streams' part of a deploy: what plan and apply do, without their own questions. */
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { openReader, openWriter } from "../connect/nats.ts";
import type { Steps } from "../deploy/report.ts";
import { StepFailure } from "../deploy/step.ts";
import type { Writer } from "../jetstream/api.ts";
import { apply, type Outcome } from "../jetstream/apply.ts";
import { type Plan, plan } from "../jetstream/plan.ts";
import type { Model } from "../model/resolve.ts";
import { policy } from "../rules/changes.ts";
import { type LeaveOptions, missingLeave, unaskedIn, withheldBy } from "./commands/apply.ts";
import { type PlanOptions, scopeOf } from "./commands/plan.ts";
import { reach } from "./connection.ts";
import type { NatsServers } from "./deployment.ts";
import { Interrupted } from "./interrupts.ts";
import { visible } from "./output/visible.ts";

export type StreamOptions = PlanOptions & LeaveOptions;

/** Milliseconds for a stream to have a leader and all its replicas current. */
const READY_TIMEOUT = 120_000;

const nanosecondsNow = (): number => Date.now() * 1e6;

/** What an apply would do now. Its client cannot write. @throws ConnectionFailure; WrongCluster */
export async function planStreams(model: Model, options: StreamOptions, servers: NatsServers): Promise<Plan> {
  await using reached = await reach(await servers.connection(), model.environment);
  await using reader = await openReader(reached.target);
  return await plan(model, reader, policy, nanosecondsNow(), scopeOf(model, options));
}

/** The plan has changes that nobody gave leave for; no stream was touched. */
export class LeaveMissing extends Error {
  override readonly name = "LeaveMissing";
}

/** NATS answers, and streams of it do not: the manifests are no reason for that, and nothing was changed. */
export class StreamsUnasked extends Error {
  override readonly name = "StreamsUnasked";
}

interface StreamTask {
  readonly model: Model;
  readonly options: StreamOptions;
  readonly servers: NatsServers;
}

/** A plan, and the connection that it was made over. */
export interface OpenPlan extends AsyncDisposable {
  readonly planned: Plan;
  readonly writer: Writer;
}

async function openPlan({ model, options, servers }: StreamTask): Promise<OpenPlan> {
  const open: AsyncDisposable[] = [];
  const close = async () => {
    for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  };
  try {
    const reached = await reach(await servers.connection(), model.environment);
    open.push(reached);
    const writer = await openWriter(reached.target);
    open.push(writer);
    const planned = await plan(model, writer, policy, nanosecondsNow(), scopeOf(model, options));
    return { planned, writer, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Milliseconds for NATS and every stream to answer, and between two attempts: after a long rollout one that fails is no reason to undo it. */
const SILENCE = 60_000;
const PAUSE = 2_000;

/** Where streams still do not answer when the time is over, the plan says so. */
async function openPatiently(open: () => Promise<OpenPlan>, interrupted: () => boolean): Promise<OpenPlan> {
  for (const end = Date.now() + SILENCE; ; await sleep(PAUSE)) {
    try {
      const opened = await open();
      // A stream is without a leader for a moment whenever its leader's server is replaced.
      if (unaskedIn(opened.planned).length === 0 || Date.now() >= end) return opened;
      await opened[Symbol.asyncDispose]();
    } catch (error) {
      if ((error as Error).name !== "ConnectionFailure" || Date.now() >= end) throw error;
    }
    if (interrupted()) throw new Interrupted("Interrupted before the streams. The same command goes on from there.");
  }
}

/**
 * Plans again and applies.
 *
 * @param changed told which streams may have been changed with loss or for good, whether or not all came to its end
 * @throws StepFailure where a change fails or NATS cannot be asked; StreamsUnasked; LeaveMissing; LockHeld; Interrupted
 */
export async function applyStreams(
  task: StreamTask,
  steps: Steps,
  interrupted: () => boolean,
  changed: (names: readonly string[]) => void,
  open = openPlan,
): Promise<void> {
  await steps.run("streams", async (say) => {
    try {
      await using opened = await openPatiently(() => open(task), interrupted);
      const { planned, writer } = opened;
      const unasked = unaskedIn(planned);
      if (unasked.length > 0) {
        throw new StreamsUnasked(`streams were not applied: ${unasked.join(", ")} cannot be asked`);
      }
      const withheld = withheldBy(planned, task.options);
      if (withheld.length > 0) throw new LeaveMissing(`streams were not applied.${missingLeave(withheld)}`);
      // Until it is known what was not begun, anything may have been done.
      changed(changedForGood(planned, []));
      const outcome = await apply(planned, writer, {
        holder: `deploy@${hostname()}`,
        lockWait: READY_TIMEOUT,
        interrupted,
        progress: (name, action) => say(visible(`${name}: ${action}`)),
        readyTimeout: READY_TIMEOUT,
      });
      changed(changedForGood(planned, outcome.notStarted));
      say(endOf(outcome, interrupted()));
    } catch (cause) {
      const { name, message } = cause as Error;
      if (name === "LockHeld") changed([]);
      // Of NATS, and not of the cluster: that one answers, and what was there can be put back.
      if (name === "ConnectionFailure" || name === "ApiError") throw new StepFailure(message, { cause });
      throw cause;
    }
  });
}

/** What to say of streams that were applied. @throws StepFailure, Interrupted where some were not */
export function endOf({ done, failed, notStarted, lockLost }: Outcome, interrupted: boolean): string {
  const problems = [
    ...failed.map(({ name, error }) => `${name}: ${error.message}`),
    ...(lockLost ? [`the lock was lost: ${lockLost}`] : []),
  ];
  if (problems.length > 0) {
    throw new StepFailure(`${problems.join("; ")}. Not started: ${notStarted.join(", ") || "nothing"}`);
  }
  if (interrupted && notStarted.length > 0) {
    throw new Interrupted(
      `Interrupted: ${done.length} streams and consumers are applied, not ${notStarted.join(", ")}. The same command goes on from there.`,
    );
  }
  if (notStarted.length > 0) {
    throw new StepFailure(`${done.length} streams and consumers are applied, not ${notStarted.join(", ")}: plan again`);
  }
  return done.length > 0 ? `${done.length} streams and consumers applied` : "nothing to apply";
}

/** Streams that the plan changes with loss or for good, but for those that were not begun. One that failed may have been written. */
export const changedForGood = ({ changes }: Plan, notStarted: readonly string[]): string[] =>
  changes
    .filter(
      ({ change, effects }) =>
        change.action === "delete" || effects.some(({ kind }) => kind === "loses" || kind === "irreversible"),
    )
    .map(({ change }) => change.name)
    .filter((name) => !notStarted.includes(name));

/** Whether a plan would change anything. */
export const plansChanges = ({ summary: { create, update, recreate, delete: deleted } }: Plan): boolean =>
  create + update + recreate + deleted > 0;
