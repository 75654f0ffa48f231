import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { isMade } from "../../../src/deploy/readiness.ts";
import { keepSteps } from "../../../src/deploy/report.ts";
import { applyStages, type RunInput } from "../../../src/deploy/run.ts";
import { type Waiting, waitEvery } from "../../../src/deploy/waiting.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";

const inputOf = (declared: readonly KubeObject[], cluster = fakeCluster()): RunInput => ({
  ...{ cluster, declared, environment: "production", steps: keepSteps(() => {}), patience: 1_000 },
  ...{ waiting: waitEvery(1), insisting: waitEvery(1), proven: async () => [] },
  ...{ loaded: async () => new Map(), note: async () => {} },
});

const configMap = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "ns" },
});

test("a step that fails because one object is refused has ended: those beside it are written by then, and no other is", async () => {
  const fake = fakeCluster();
  const cluster = {
    ...fake,
    apply: async (...[object]: Parameters<typeof fake.apply>) => {
      if (object.metadata.name === "refused") return { outcome: "refused", status: 403, says: "no" } as const;
      await sleep(50);
      return await fake.apply(object);
    },
  };
  const others = Array.from({ length: 20 }, (_, i) => configMap(`other-${i}`));
  const run = applyStages({ ...inputOf([...others.slice(0, 3), configMap("refused"), ...others.slice(3)]), cluster });
  await expect(run).rejects.toThrow("ConfigMap refused was not applied: no");
  const written = [...fake.written];
  expect(written.length).toBeGreaterThan(0);
  expect(written.length).toBeLessThan(others.length);
  await sleep(200);
  expect(fake.written).toEqual(written);
});

describe("a secret store that is down", () => {
  const secret = (name: string, refreshInterval: string): KubeObject => ({
    apiVersion: "external-secrets.io/v1",
    kind: "ExternalSecret",
    metadata: { name, namespace: "ns", generation: 1 },
    spec: { refreshInterval },
  });
  const down = { type: "Ready", status: "False", message: "the store is down" };

  const certificate: KubeObject = {
    apiVersion: "cert-manager.io/v1",
    kind: "Certificate",
    metadata: { name: "one", namespace: "ns", generation: 1 },
  };
  const ready = { type: "Ready", status: "True", message: "" };

  /** Applies `declared` where something is there already, as its operator has left it. */
  async function applying(declared: KubeObject, status: object, there = secret("one", "1h")) {
    const fake = fakeCluster([there]);
    const cluster = {
      ...fake,
      get: async (...reference: Parameters<typeof fake.get>) => {
        const found = await fake.get(...reference);
        return found && { ...found, status: { conditions: [down], ...status } };
      },
    };
    const waiting = { until: (ask, _, otherwise) => waitEvery(1).until(ask, 10, otherwise) } satisfies Waiting;
    return await applyStages({ ...inputOf([declared]), cluster, waiting });
  }
  const synced = { syncedResourceVersion: "1-abc" };

  test("does not end a run that leaves its secrets as they are, and is said", async () => {
    expect(await applying(secret("one", "1h"), synced)).toEqual(["ExternalSecret one in ns: the store is down"]);
  });

  test.each([
    ["changes one", secret("one", "2h"), synced],
    ["brings one", secret("another", "1h"), synced],
    ["comes after one that changed one, and was cut off", secret("one", "1h"), { syncedResourceVersion: "0-abc" }],
    ["comes after one that brought one, and was cut off", secret("one", "1h"), {}],
    ["comes after one that brought a certificate", certificate, {}],
    ["finds a certificate that has ended", certificate, { notAfter: "2026-11-22T09:00:00Z" }],
  ])("ends a run that %s", async (_, declared, status) => {
    const there = declared.kind === "Certificate" ? certificate : secret("one", "1h");
    await expect(applying(declared, status, there)).rejects.toThrow(/^\w+ \w+ in ns: the store is down/);
  });

  test.each([
    [{ conditions: [ready], notAfter: "2026-12-22T09:00:00Z" }, true],
    [{ conditions: [ready] }, false],
  ])("certificates with %j: made before is %s", (status, made) => {
    expect(isMade({ ...certificate, status })).toBe(made);
  });
});
