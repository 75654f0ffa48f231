/** Writes the record of one run: that it began, that it goes on, how it ended. */
import { type Cluster, referenceOf } from "./cluster.ts";
import { type Deployment, type Deployments, deploymentsIn, giveBack, recordOf, runningNow } from "./record.ts";
import { StepFailure } from "./step.ts";

/** Somebody else deploys. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

export interface Journal {
  /** @throws AlreadyRunning where another run has taken over: this one may write nothing more */
  check(): void;
  /** Runs before this one, newest first. */
  readonly earlier: Deployments;
  /** Writes down what a run after this one must know if this one does not come to its end. */
  note(more: Pick<Deployment, "reload">): Promise<void>;
  close(end: Pick<Deployment, "result" | "says" | "untouched">): Promise<void>;
}

/** Milliseconds between two signs of life. */
const INTERVAL = 15_000;

export const readRecord = async (cluster: Cluster, namespace: string): Promise<Deployments> =>
  deploymentsIn(await cluster.get(referenceOf(recordOf([], namespace, undefined))));

/**
 * Begins a run, and says every `interval` that it goes on, whatever it does meanwhile; the namespace must exist.
 * @throws AlreadyRunning where another run goes on; StepFailure where the record may not be written
 */
export async function openJournal(
  cluster: Cluster,
  namespace: string,
  run: Omit<Deployment, "started" | "result">,
  interval = INTERVAL,
): Promise<Journal> {
  const began = Date.now();
  let entry: Deployment = { ...run, started: new Date(began).toISOString(), result: "running" };
  const place = referenceOf(recordOf([], namespace, undefined));
  const found = await cluster.get(place);
  const earlier = deploymentsIn(found);
  const running = runningNow(earlier, began);
  if (running) throw alreadyRunning(running);
  let version = found?.metadata.resourceVersion;
  const write = async (newest: Deployment): Promise<void> => {
    const result = await cluster.apply(recordOf([newest, ...earlier], namespace, version));
    if (result.outcome === "taken") {
      version = result.object.metadata.resourceVersion;
      return;
    }
    if (result.outcome === "conflict") {
      const owned = result.conflicts.map(({ field, owner }) => `${field} belongs to ${owner}`).join("; ");
      throw new StepFailure(
        `${RECORD} was not written: ${owned}, who has edited it. To give it back: ${giveBack(namespace, cluster.context)}`,
      );
    }
    if (result.status !== 409) throw new StepFailure(`${RECORD} was not written: ${result.says}`);
    // Where the answer was lost and not the write, the newest entry is ours.
    const now = await cluster.get(place);
    const [first] = deploymentsIn(now);
    if (first?.started !== entry.started || first.who !== entry.who || now?.metadata.resourceVersion === version)
      throw new AlreadyRunning(
        `${RECORD} was written by another run meanwhile. Look at circl history, then run again.`,
      );
    version = now?.metadata.resourceVersion;
    return await write(newest);
  };
  await write(entry);

  let lost: AlreadyRunning | undefined;
  // One after the other: each write goes over the version that the one before has left.
  let queue: Promise<void> = Promise.resolve();
  const renew = () => {
    queue = queue
      .then(() => write({ ...entry, renewed: new Date().toISOString() }))
      .catch((error) => {
        // A sign of life that did not arrive is followed by the next.
        if (error instanceof AlreadyRunning) lost = error;
      });
  };
  const signs = setInterval(renew, interval);
  signs.unref();
  return {
    earlier,
    note: async (more) => {
      entry = { ...entry, ...more };
      const written = queue.then(() => write({ ...entry, renewed: new Date().toISOString() }));
      queue = written.catch(() => {});
      await written;
    },
    check: () => {
      if (lost) throw lost;
    },
    close: async (end) => {
      clearInterval(signs);
      await queue;
      if (lost) throw lost;
      const { reload, ...rest } = entry;
      const unseen = reload && end.result !== "done" ? { reload } : {};
      await write({ ...rest, ...unseen, ...end, seconds: Math.round((Date.now() - began) / 1_000) });
    },
  };
}

const RECORD = "ConfigMap circl-deploys";

const alreadyRunning = ({ kind, who, started, renewed }: Deployment): AlreadyRunning =>
  new AlreadyRunning(
    `a ${kind} of ${who} runs since ${started} (last sign ${renewed ?? started}). Wait for its end; two minutes after its last sign it counts as dead.`,
  );
