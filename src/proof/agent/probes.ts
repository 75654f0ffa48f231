/** Startup, readiness and liveness of a container, asked as a kubelet asks: from the node, or in the container. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Container, Probe } from "./objects.ts";

export interface ProbeTarget {
  readonly container: Container;
  /** Of the pod. */
  readonly address: string;
  /** As that of a running container. */
  readonly exec: (argv: readonly string[], timeout: number) => Promise<number | undefined>;
}

/**
 * Asks until `signal` ends it, and gives each verdict that is reached: true after `successThreshold` good answers in a row,
 * false after `failureThreshold` bad ones.
 */
export async function* verdictsOf(probe: Probe, target: ProbeTarget, signal: AbortSignal): AsyncGenerator<boolean> {
  const { periodSeconds = 10, initialDelaySeconds = 0, successThreshold = 1, failureThreshold = 3 } = probe;
  const pause = (seconds: number) => sleep(seconds * 1000, undefined, { signal }).catch(() => {});
  let row = 0;
  let last: boolean | undefined;
  for (await pause(initialDelaySeconds); !signal.aborted; await pause(periodSeconds)) {
    const good = await ask(probe, target);
    if (signal.aborted) return;
    row = good === last ? row + 1 : 1;
    last = good;
    if (row >= (good ? successThreshold : failureThreshold)) yield good;
  }
}

/** One answer; whatever fails or takes too long is a bad one. */
async function ask({ exec, httpGet, timeoutSeconds = 1 }: Probe, target: ProbeTarget): Promise<boolean> {
  const timeout = timeoutSeconds * 1000;
  try {
    if (exec) return (await target.exec(exec.command ?? [], timeout)) === 0;
    const url = `http://${target.address}:${portOf(target.container, httpGet?.port)}${httpGet?.path ?? "/"}`;
    // A connection of its own each time, as a kubelet has: one that is kept would outlive the server.
    const headers = { connection: "close" };
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(timeout) });
    await response.body?.cancel();
    return response.status >= 200 && response.status < 400;
  } catch {
    return false;
  }
}

function portOf({ name, ports = [] }: Container, port: number | string | undefined): number {
  const number = typeof port === "number" ? port : ports.find((one) => one.name === port)?.containerPort;
  if (number === undefined) throw new Error(`${name} has no port ${port}`);
  return number;
}
