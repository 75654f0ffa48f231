/** Writes the record of one run: that it began, that it goes on, how it ended. */
import { type Cluster, referenceOf } from "./cluster.ts";
import { type Deployment, type Deployments, deploymentsIn, recordOf, runningNow } from "./record.ts";

/** Somebody else deploys. */
export class AlreadyRunning extends Error {
  override readonly name = "AlreadyRunning";
}

export interface Journal {
  /** Says that the run goes on, at most every fifteen seconds. */
  renew(): Promise<void>;
  close(end: Pick<Deployment, "result" | "says">): Promise<void>;
}

const INTERVAL = 15_000;

export const readRecord = async (cluster: Cluster, namespace: string): Promise<Deployments> =>
  deploymentsIn(await cluster.get(referenceOf(recordOf([], namespace, undefined))));

/**
 * Begins a run; the namespace must exist.
 * @throws AlreadyRunning where another run goes on
 */
export async function openJournal(
  cluster: Cluster,
  namespace: string,
  run: Omit<Deployment, "started" | "result">,
): Promise<Journal> {
  const began = Date.now();
  const entry: Deployment = { ...run, started: new Date(began).toISOString(), result: "running" };
  const found = await cluster.get(referenceOf(recordOf([], namespace, undefined)));
  const earlier = deploymentsIn(found);
  const running = runningNow(earlier, began);
  if (running) throw alreadyRunning(running);
  let version = found?.metadata.resourceVersion;
  let written = began;
  const write = async (newest: Deployment) => {
    const result = await cluster.apply(recordOf([newest, ...earlier], namespace, version));
    if (result.outcome !== "taken")
      throw new AlreadyRunning(
        `${RECORD} was written by another run meanwhile. Look at circl history, then run again.`,
      );
    version = result.object.metadata.resourceVersion;
    written = Date.now();
  };
  await write(entry);
  return {
    renew: async () => {
      if (Date.now() - written > INTERVAL) await write({ ...entry, renewed: new Date().toISOString() });
    },
    close: (end) => write({ ...entry, ...end, seconds: Math.round((Date.now() - began) / 1_000) }),
  };
}

const RECORD = "ConfigMap circl-deploys";

const alreadyRunning = ({ kind, who, started, renewed }: Deployment): AlreadyRunning =>
  new AlreadyRunning(
    `a ${kind} of ${who} runs since ${started} (last sign ${renewed ?? started}). Wait for its end; two minutes after its last sign it counts as dead.`,
  );
