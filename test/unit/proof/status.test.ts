import { describe, expect, test } from "vitest";
import { runContainer } from "../../../src/proof/agent/container-run.ts";
import type { Container, ContainerState, Pod } from "../../../src/proof/agent/objects.ts";
import { statusOf } from "../../../src/proof/agent/pod-status.ts";

const container: Container = { name: "main", image: "nats" };
const pod = (conditions: Pod["status"]["conditions"] = []): Pod => ({
  metadata: { name: "p", namespace: "n", uid: "1", resourceVersion: "1" },
  spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [container] },
  status: { phase: "Pending", conditions },
});
const run = (state: ContainerState, ready: boolean) => ({
  container,
  state,
  lastState: {},
  restarts: 0,
  started: ready,
  ready,
  process: undefined,
  over: Promise.resolve(undefined),
  stop: async () => {},
});
const progress = {
  startTime: "2026-01-01T00:00:00Z",
  hostIP: "10.0.0.1",
  podIP: "10.0.0.2",
  init: [],
  phase: "Running",
  waitingFor: undefined,
} as const;
const conditionsOf = (status: object) => (status as Pod["status"]).conditions ?? [];
const running = { running: { startedAt: "2026-01-01T00:00:00Z" } };

describe("the status of a pod", () => {
  test("keeps the time of a condition that has not changed, and conditions of others", () => {
    const old = "2020-01-01T00:00:00Z";
    const before = [
      { type: "PodScheduled", status: "True", lastTransitionTime: old },
      { type: "Ready", status: "True", lastTransitionTime: old },
    ];
    const ready = conditionsOf(statusOf({ ...progress, pod: pod(before), main: [run(running, true)] }));
    expect(ready.filter(({ type }) => ["PodScheduled", "Ready"].includes(type))).toEqual(before);
    const unready = conditionsOf(statusOf({ ...progress, pod: pod(before), main: [run(running, false)] }));
    const [condition] = unready.filter(({ type }) => type === "Ready");
    expect(condition).toMatchObject({ status: "False", message: "containers with unready status: [main]" });
    expect(condition?.lastTransitionTime).not.toBe(old);
  });

  test("a pod without a running container is not ready, whatever it waits for", () => {
    const status = statusOf({
      ...progress,
      phase: "Pending",
      waitingFor: "the Secret x is not there",
      pod: pod(),
      main: [],
    });
    expect(conditionsOf(status).find(({ type }) => type === "Ready")).toMatchObject({
      status: "False",
      message: "the Secret x is not there",
    });
  });
});

describe("a container", () => {
  const exits = (...codes: number[]) => {
    let started = 0;
    const states: string[] = [];
    const supervised = (restarts: "Always" | "OnFailure" | "Never") => {
      const one = runContainer({
        container,
        restarts,
        address: "",
        grace: 0,
        start: async () => {
          const code = codes[started++] ?? 0;
          return { pid: 1, exited: Promise.resolve(code), signal: () => {}, exec: async () => 0 };
        },
        changed: () => states.push(Object.keys(one?.state ?? {})[0] ?? ""),
      });
      return one;
    };
    return { supervised, started: () => started, states };
  };

  test("that failed is started once more at once where it may be, and its last end is kept", async () => {
    const { supervised, started } = exits(3, 0);
    const one = supervised("OnFailure");
    expect(await one.over).toBe(0);
    expect(started()).toBe(2);
    expect(one.restarts).toBe(1);
    expect(one.lastState.terminated?.exitCode).toBe(3);
  });

  test("that may not be restarted ends with its first exit code", async () => {
    const { supervised, started } = exits(3, 0);
    expect(await supervised("Never").over).toBe(3);
    expect(started()).toBe(1);
  });

  test("that keeps failing waits longer before each start, and can be ended while it waits", async () => {
    const { supervised, started } = exits(1, 1, 1, 1);
    const one = supervised("Always");
    await expect.poll(() => one.state).toEqual({ waiting: { reason: "CrashLoopBackOff" } });
    expect(started()).toBe(2);
    await one.stop(0);
    expect(started()).toBe(2);
  });
});
