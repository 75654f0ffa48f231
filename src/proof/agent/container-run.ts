/** Keeps one container of a pod running as its probes and its restart policy say, and ends it with grace. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Exit, RunningContainer } from "./container.ts";
import type { Container, Probe } from "./objects.ts";
import { type ProbeTarget, watchProbe } from "./probes.ts";

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

export type ContainerState =
  | { readonly waiting: { readonly reason: string; readonly message?: string } }
  | { readonly running: { readonly startedAt: string } }
  | { readonly terminated: Terminated };
export interface Terminated {
  readonly exitCode: number;
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

export interface ContainerRun {
  readonly container: Container;
  readonly state: ContainerState;
  readonly lastState: { readonly terminated?: Terminated };
  readonly restarts: number;
  /** Its startup probe has succeeded, or there is none. */
  readonly started: boolean;
  readonly ready: boolean;
  /** Its process of now. */
  readonly process: RunningContainer | undefined;
  /** Resolves once it has started, or has ended for good. */
  readonly up: Promise<void>;
  /** Resolves once it has ended for good. */
  readonly over: Promise<Exit | undefined>;
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
    lastState: {} as { terminated?: Terminated },
    restarts: 0,
    started: false,
    ready: false,
    process: undefined as RunningContainer | undefined,
  };
  const stopping = new AbortController();
  let announceUp = () => {};
  const up = new Promise<void>((done) => {
    announceUp = done;
  });
  const change = (next: Partial<typeof run>) => {
    Object.assign(run, next);
    changed();
  };
  const pause = (time: number) => sleep(time, undefined, { signal: stopping.signal }).catch(() => {});

  const end = async (process: RunningContainer, grace: number) => {
    const until = Date.now() + grace;
    const { preStop } = container.lifecycle ?? {};
    // A hook that fails or cannot be run stops nothing.
    const hook = preStop?.exec && process.exec(preStop.exec.command, grace).catch(() => {});
    if (hook) await Promise.race([hook, process.exited]);
    process.signal("SIGTERM");
    const killer = new AbortController();
    const kill = sleep(Math.max(until - Date.now(), LAST_GRACE), undefined, { signal: killer.signal }).then(
      () => process.signal("SIGKILL"),
      () => {},
    );
    await process.exited;
    killer.abort();
    await kill;
  };

  const probe = (process: RunningContainer, signal: AbortSignal) => {
    const target: ProbeTarget = { container, address: input.address, exec: process.exec };
    const watch = (what: Probe | undefined, verdict: (good: boolean) => void, until = signal) =>
      what && watchProbe(what, target, until, verdict);
    const live = () => {
      change({ started: true, ready: container.readinessProbe === undefined });
      announceUp();
      watch(container.readinessProbe, (good) => good !== run.ready && change({ ready: good }));
      watch(container.livenessProbe, (good) => good || stopping.signal.aborted || end(process, input.grace));
    };
    if (!container.startupProbe) return live();
    const done = new AbortController();
    watch(
      container.startupProbe,
      (good) => {
        if (!good && stopping.signal.aborted) return;
        done.abort();
        if (good) live();
        else end(process, input.grace);
      },
      AbortSignal.any([signal, done.signal]),
    );
  };

  /** One run from start to end; undefined where it could not even be started. */
  const once = async (): Promise<Exit | undefined> => {
    try {
      refuseUnknown(container);
      const process = await input.start(run.restarts);
      const startedAt = now();
      change({ process, state: { running: { startedAt } } });
      const probing = new AbortController();
      probe(process, probing.signal);
      const exit = await process.exited;
      probing.abort();
      const reason = exit.code === 0 ? "Completed" : "Error";
      const terminated = { exitCode: exit.code, reason, startedAt, finishedAt: now() };
      change({ process: undefined, started: false, ready: false, state: { terminated } });
      return exit;
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
      if (!exit) {
        await pause(1_000);
        if (stopping.signal.aborted) return undefined;
        continue;
      }
      if (input.restarts === "Never" || (input.restarts === "OnFailure" && exit.code === 0)) return exit;
      if (Date.now() - begun > LASTED) delay = 0;
      const lastState = "terminated" in run.state ? { terminated: run.state.terminated } : {};
      if (delay > 0) change({ lastState, state: { waiting: { reason: "CrashLoopBackOff" } } });
      await pause(delay);
      if (stopping.signal.aborted) return exit;
      change({ lastState, restarts: run.restarts + 1 });
      delay = Math.min(Math.max(delay * 2, BACKOFF), BACKOFF_LIMIT);
    }
  })().finally(announceUp);

  return Object.assign(run, {
    up,
    over,
    async stop(grace: number) {
      stopping.abort();
      if (run.process) await end(run.process, grace);
      await over;
    },
  });
}

/** @throws Error for what a kubelet would do and this agent would leave out */
function refuseUnknown({ name, lifecycle, startupProbe, readinessProbe, livenessProbe }: Container): void {
  for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
    if (probe && !probe.exec && !probe.httpGet && !probe.tcpSocket) {
      throw new Error(`${name} has a probe of a kind that the node agent does not know: ${JSON.stringify(probe)}`);
    }
  }
  if (lifecycle?.preStop && !lifecycle.preStop.exec) {
    throw new Error(`${name} has a preStop hook of a kind that the node agent does not know`);
  }
}

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
