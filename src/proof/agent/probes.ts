/** Startup, readiness and liveness of a container, asked as a kubelet asks: from the node, or in the container. */

import { once } from "node:events";
import { get } from "node:http";
import { createConnection } from "node:net";
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
 * Asks until `signal` ends it, and tells each verdict that is reached: true after `successThreshold` good answers in a row,
 * false after `failureThreshold` bad ones.
 */
export async function watchProbe(
  probe: Probe,
  target: ProbeTarget,
  signal: AbortSignal,
  verdict: (good: boolean) => void,
): Promise<void> {
  const { periodSeconds = 10, initialDelaySeconds = 0, successThreshold = 1, failureThreshold = 3 } = probe;
  let row = 0;
  let last: boolean | undefined;
  try {
    await sleep(initialDelaySeconds * 1000, undefined, { signal });
    while (!signal.aborted) {
      const good = await ask(probe, target);
      if (signal.aborted) return;
      row = good === last ? row + 1 : 1;
      last = good;
      if (row >= (good ? successThreshold : failureThreshold)) verdict(good);
      await sleep(periodSeconds * 1000, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One answer; whatever fails or takes too long is a bad one. */
async function ask(probe: Probe, target: ProbeTarget): Promise<boolean> {
  const timeout = (probe.timeoutSeconds ?? 1) * 1000;
  const { address: host } = target;
  try {
    if (probe.exec) return (await target.exec(probe.exec.command, timeout)) === 0;
    const signal = AbortSignal.timeout(timeout);
    if (probe.httpGet) {
      const { path = "/", port } = probe.httpGet;
      const request = get({ host, port: portOf(target.container, port), path, agent: false, signal });
      // What comes too late is of no interest any more.
      request.on("error", () => {});
      const [response] = await once(request, "response");
      response.on("error", () => {}).resume();
      return response.statusCode >= 200 && response.statusCode < 400;
    }
    if (probe.tcpSocket) {
      const socket = createConnection({ host, port: portOf(target.container, probe.tcpSocket.port), signal });
      await once(socket, "connect");
      socket.destroy();
      return true;
    }
  } catch {
    return false;
  }
  return false;
}

function portOf({ name, ports = [] }: Container, port: number | string): number {
  const number = typeof port === "number" ? port : ports.find((one) => one.name === port)?.containerPort;
  if (number === undefined) throw new Error(`${name} has no port ${port}`);
  return number;
}
