/** Applies a plan: step by step, each write read back, nothing written over a state that has moved. */
import type { Writer } from "./api.ts";
import { writeConsumer } from "./consumer-write.ts";
import type { Change } from "./diff.ts";
import { acquireLock, Interrupted, LOCK_STREAM } from "./lock.ts";
import { type Applied, inOrder, type Step } from "./order.ts";
import { inParallel } from "./pager.ts";
import type { Plan, PlannedChange } from "./plan.ts";
import { assertAsPlanned } from "./recheck.ts";
import { recreate } from "./recreate.ts";
import { settle } from "./settle.ts";

export interface Outcome {
  readonly done: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: Error }[];
  /** Left out because something before them failed, or because it was interrupted. */
  readonly notStarted: readonly string[];
  /** Why the lock was lost, where it was and something was left out for that. */
  readonly lockLost?: string;
}

export interface ApplyOptions {
  /** Who applies, for those who wait. */
  readonly holder: string;
  /** Milliseconds to wait for another apply. */
  readonly lockWait: number;
  /** Told for whom it waits. */
  readonly waits?: (says: string) => void;
  /** Asked before every change, and while it waits: true stops after those that run. */
  readonly interrupted: () => boolean;
  /** Told of every change as soon as it is written, before its replicas are waited for. */
  readonly progress: (name: string, action: Applied["action"]) => void;
  /** Milliseconds to wait for leader and replicas of what was written. */
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
  const approved = new Map<Change, PlannedChange>(plan.changes.map((planned) => [planned.change, planned]));
  const lookAgain = async (change: Applied): Promise<void> => {
    const planned = approved.get(change);
    // What is there already refuses a create by itself.
    if (change.action !== "create" && planned) await assertAsPlanned(change, planned, plan.basis, writer);
  };
  // The very first apply makes the stream that locks the others.
  const before = await applySteps([{ oneByOne: true, changes: first }], writer, options, lookAgain);
  const rest = steps.map((step) => ({ ...step, changes: step.changes.filter((change) => !first.includes(change)) }));
  if (before.failed.length > 0) {
    return { ...before, notStarted: rest.flatMap(({ changes }) => changes.map(({ name }) => name)).sort() };
  }
  const { lockWait, waits = () => {} } = options;
  const waiting = { wait: lockWait, interrupted: options.interrupted, waits };
  await using lock = await acquireLock(writer, options.holder, waiting).catch(unlessInterrupted);
  let lockLost: string | undefined;
  let stopped = false;
  // Without a lock nothing begins; nor does anything behind what was left out, though the lock is held again by then.
  const interrupted = () => {
    lockLost ??= lock?.lost();
    stopped ||= lock === undefined || lockLost !== undefined || options.interrupted();
    return stopped;
  };
  const after = await applySteps(rest, writer, { ...options, interrupted }, lookAgain);
  return {
    done: [...before.done, ...after.done].sort(),
    failed: after.failed,
    notStarted: [...before.notStarted, ...after.notStarted].sort(),
    ...(after.notStarted.length > 0 && lockLost ? { lockLost } : {}),
  };
}

const unlessInterrupted = (error: unknown): undefined => {
  if (!(error instanceof Interrupted)) throw error;
};

/** @param lookAgain throws where a change is not to be written any more */
async function applySteps(
  steps: readonly Step[],
  writer: Writer,
  options: ApplyOptions,
  lookAgain: (change: Applied) => Promise<void>,
): Promise<Outcome> {
  const done: string[] = [];
  const failed: { name: string; error: Error }[] = [];
  const notStarted: string[] = [];
  const fail = (name: string, error: unknown) =>
    failed.push({ name, error: error instanceof Error ? error : new Error(String(error)) });
  /** Written and led; their replicas are waited for behind the last step that is in haste. */
  const led: Applied[] = [];
  const settled = async (written: readonly Applied[], until: "led" | "whole") => {
    const unsettled = await settle(written, writer, options.readyTimeout, until);
    for (const change of written) {
      const error = unsettled.get(change.name);
      if (error) fail(change.name, error);
      else if (until === "led" && change.action !== "delete") led.push(change);
      else done.push(change.name);
    }
  };
  const batch = async (changes: readonly Applied[], until: "led" | "whole") => {
    const written: Applied[] = [];
    await inParallel(changes, async (change) => {
      if (options.interrupted()) notStarted.push(change.name);
      else
        await lookAgain(change)
          .then(() => applyOne(change, writer, options.readyTimeout))
          .then(
            () => {
              written.push(change);
              options.progress(change.name, change.action);
            },
            (error) => fail(change.name, error),
          );
    });
    await settled(written, until);
  };
  for (const { changes, oneByOne, inHaste = false } of steps) {
    if (!inHaste) await settled(led.splice(0), "whole");
    for (const some of oneByOne ? changes.map((change) => [change]) : [changes]) {
      if (failed.length > 0) notStarted.push(...some.map(({ name }) => name));
      else await batch(some, inHaste ? "led" : "whole");
    }
  }
  await settled(led, "whole");
  return { done: done.sort(), failed, notStarted: notStarted.sort() };
}

async function applyOne(change: Applied, writer: Writer, timeout: number): Promise<void> {
  if (change.action === "delete") {
    const consumer = change.live.kind === "consumer" ? [change.live.info.name] : [];
    await writer.write(`${change.kind === "stream" ? "STREAM" : "CONSUMER"}.DELETE`, [change.stream, ...consumer]);
  } else if (change.action === "recreate") {
    await recreate(change, writer, timeout);
  } else if (change.kind === "stream") {
    const verb = change.action === "create" ? "STREAM.CREATE" : "STREAM.UPDATE";
    await writer.write(verb, [change.name], change.config);
  } else {
    await writeConsumer(change.stream, change.config, change.action, writer);
  }
}
