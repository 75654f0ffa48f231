/** What an environment must live through, under load, without losing or doubling what was confirmed. */
import { setTimeout as sleep } from "node:timers/promises";
import { NATS } from "../kubernetes/names.ts";
import type { Model } from "../model/resolve.ts";
import type { ContainerRun } from "./agent/container-run.ts";
import { type LoadOutcome, ORDERS, startLoad } from "./load/load.ts";
import { podsWith, SERVER } from "./reach.ts";
import { checkStreams, type Subject } from "./smoke.ts";

/** Messages a second: what two cores carry beside three servers and a control plane. */
const RATE = 500;
/** Seconds of load that the stream must have room for: where it is full, its status says that it keeps too little, and is right. */
const ROOM = 600;

const rateOf = ({ streams }: Model): number => {
  const { maxMsgs = -1 } = streams.find(({ name }) => name === ORDERS.readers[0]?.stream) ?? {};
  return maxMsgs > 0 ? Math.min(RATE, Math.floor(maxMsgs / ROOM)) : RATE;
};
/** ms that a killed server may take to be ready again. */
const PATIENCE = 600_000;
/** Messages that must go through before and after what happens. */
const MARGIN = 1_000;

/** Kills the process of one server, as the kernel does that is out of memory. @throws Error for every message that it cost */
export const killServer = (subject: Subject): Promise<string> =>
  underLoad(subject, async () => {
    const [server] = podsWith(subject.booted.nodes.pods(), SERVER);
    const container = server?.containers.find(({ container: { name } }) => name === NATS.name);
    const name = `${server?.pod.metadata.name ?? "a server"}/${NATS.name}`;
    await killContainer(container, name);
    for (const end = Date.now() + PATIENCE; !container?.ready; await sleep(250))
      if (Date.now() > end) throw new Error(`${name} was killed and is not ready again`);
  });

/** Rolls all servers, as a change of their pods does. @throws Error for every message that it cost */
export const rollServers = (subject: Subject): Promise<string> =>
  underLoad(subject, async () => {
    const { kubectl } = subject.booted.plane;
    await kubectl([
      "rollout",
      "restart",
      `statefulset/${NATS.name}`,
      `--namespace=${subject.model.environment.kubernetes.namespace}`,
    ]);
    await subject.booted.ready();
  });

/**
 * Kills the process of a container, and waits until its node has started it again.
 * @param name pod/container, for errors @throws Error where it does not run, or is not started again
 */
export async function killContainer(container: ContainerRun | undefined, name: string): Promise<void> {
  if (!container?.process) throw new Error(`${name} is to be killed and does not run`);
  const { restarts } = container;
  container.process.signal("SIGKILL");
  for (const end = Date.now() + PATIENCE; container.restarts === restarts; await sleep(250))
    if (Date.now() > end) throw new Error(`${name} was killed and is not started again`);
}

async function underLoad(subject: Subject, happens: () => Promise<void>): Promise<string> {
  const load = await startLoad(subject.booted, subject.model, subject.root, rateOf(subject.model));
  await load.more(MARGIN);
  await happens();
  await checkStreams(subject);
  await load.more(MARGIN);
  const outcome = await load.stop();
  const { confirmed, unconfirmed, lost, duplicated } = outcome;
  if (lost + duplicated + unconfirmed > 0) {
    throw new Error(
      `of ${confirmed} confirmed messages ${lost} were lost, ${duplicated} stored twice, ${unconfirmed} never confirmed`,
    );
  }
  return summary(outcome);
}

const summary = ({ confirmed, redelivered, longestPause }: LoadOutcome): string =>
  `${confirmed} messages confirmed, none lost or doubled, ${redelivered} given again; longest pause ${(longestPause / 1000).toFixed(1)} s`;
