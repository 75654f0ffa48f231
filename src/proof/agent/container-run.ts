/** Keeps one container of a pod running as its probes and its restart policy say, and ends it with grace. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningContainer } from "./container.ts";
import type { Container, ContainerState, Probe } from "./objects.ts";
import { type ProbeTarget, verdictsOf } from "./probes.ts";

export interface ContainerRunInput {
  readonly container: Container;
  readonly restarts: "Always" | "OnFailure" | "Never";
  /** Address of the pod. */
  readonly address: string;
  /** ms between the signal to end and the kill, where liveness ends it. */
  readonly grace: number;
  /** Starts it once more. @throws Error that says what is missing; it is tried again */
  readonly start: (restarts: number) => Promise<RunningContainer>;
  /** Told of every change of `state`. */
  readonly changed: () => void;
}

export interface ContainerRun {
  readonly container: Container;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly restarts: number;
  /** Its startup probe has succeeded, or there is none. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Its process of now. */
  readonly process: RunningContainer | undefined;
  /** Resolves once it has ended for good: to its exit code, or undefined where it was never started. */
  readonly over: Promise<number | undefined>;
  /** Ends it for good: preStop, SIGTERM, and SIGKILL after `grace` ms. */
  stop(grace: number): Promise<void>;
}

/** Between restarts, in ms: none at first, then this, doubled each time up to the limit. A run that lasted resets it. */
const BACKOFF = 10_000;
const BACKOFF_LIMIT = 300_000;
const LASTED = 600_000;
/** How long a kubelet waits after a preStop hook that took all of the grace. */
const LAST_GRACE = 2_000;

export function runContainer(input: ContainerRunInput): ContainerRun {
  const { container, changed } = input;
  const run = {
    container,
    state: { waiting: { reason: "ContainerCreating" } } as ContainerState,
    lastState: {} as ContainerState,
    restarts: 0,
    started: false,
    ready: false,
    process: undefined as RunningContainer | undefined,
  };
  const stopping = new AbortController();
  const change = (next: Partial<typeof run>) => {
    Object.assign(run, next);
    changed();
  };
  const pause = (time: number) => sleep(time, undefined, { signal: stopping.signal }).catch(() => {});

  const end = async (process: RunningContainer, grace: number) => {
    const until = Date.now() + grace;
    const { preStop } = container.lifecycle ?? {};
    // A hook that fails or cannot be run stops nothing.
    const hook = preStop?.exec && process.exec(preStop.exec.command ?? [], grace).catch(() => {});
    if (hook) await Promise.race([hook, process.exited]);
    process.signal("SIGTERM");
    const killer = setTimeout(() => process.signal("SIGKILL"), Math.max(until - Date.now(), LAST_GRACE));
    await process.exited;
    clearTimeout(killer);
  };

  const probe = async (process: RunningContainer, signal: AbortSignal): Promise<void> => {
    const { startupProbe, readinessProbe, livenessProbe } = container;
    const target: ProbeTarget = { container, address: input.address, exec: process.exec };
    const listen = async (what: Probe | undefined, heard: (good: boolean) => void) => {
      if (what) for await (const good of verdictsOf(what, target, signal)) heard(good);
    };
    const fail = () => stopping.signal.aborted || end(process, input.grace);
    if (startupProbe) {
      const first = await verdictsOf(startupProbe, target, signal).next();
      if (first.done) return;
      if (!first.value) return void fail();
    }
    change({ started: true, ready: readinessProbe === undefined });
    listen(readinessProbe, (good) => good !== run.ready && change({ ready: good }));
    listen(livenessProbe, (good) => good || fail());
  };

  /** One run from start to end; undefined where it could not even be started. */
  const once = async (): Promise<number | undefined> => {
    try {
      const process = await input.start(run.restarts);
      const startedAt = now();
      change({ process, state: { running: { startedAt } } });
      const probing = new AbortController();
      probe(process, probing.signal);
      const exitCode = await process.exited;
      probing.abort();
      const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", startedAt, finishedAt: now() };
      change({ process: undefined, started: false, ready: false, state: { terminated } });
      return exitCode;
    } catch (error) {
      change({ state: { waiting: { reason: "CreateContainerError", message: (error as Error).message } } });
      return undefined;
    }
  };

  const over = (async () => {
    for (let delay = 0; ; ) {
      const begun = Date.now();
      const exit = await once();
      if (stopping.signal.aborted) return exit;
      if (exit === undefined) {
        await pause(1_000);
        if (stopping.signal.aborted) return undefined;
        continue;
      }
      if (input.restarts === "Never" || (input.restarts === "OnFailure" && exit === 0)) return exit;
      if (Date.now() - begun > LASTED) delay = 0;
      const lastState = run.state;
      if (delay > 0) change({ lastState, state: { waiting: { reason: "CrashLoopBackOff" } } });
      await pause(delay);
      if (stopping.signal.aborted) return exit;
      change({ lastState, restarts: run.restarts + 1 });
      delay = Math.min(Math.max(delay * 2, BACKOFF), BACKOFF_LIMIT);
    }
  })();

  return Object.assign(run, {
    over,
    async stop(grace: number) {
      stopping.abort();
      if (run.process) await end(run.process, grace);
      await over;
    },
  });
}

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
