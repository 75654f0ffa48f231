import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/deploy/object.ts";
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

  /** Applies a secret that is there, as External Secrets has left it. */
  async function applying(declared: KubeObject, synced = "1-abc") {
    const fake = fakeCluster([secret("one", "1h")]);
    const cluster = {
      ...fake,
      get: async (...reference: Parameters<typeof fake.get>) => {
        const found = await fake.get(...reference);
        return found && { ...found, status: { conditions: [down], syncedResourceVersion: synced } };
      },
    };
    const waiting = { until: (ask, _, otherwise) => waitEvery(1).until(ask, 10, otherwise) } satisfies Waiting;
    return await applyStages({ ...inputOf([declared]), cluster, waiting });
  }

  test("does not end a run that leaves its secrets as they are, and is said", async () => {
    expect(await applying(secret("one", "1h"))).toEqual(["ExternalSecret one in ns: the store is down"]);
  });

  test.each([
    ["changes one", secret("one", "2h"), "1-abc"],
    ["brings one", secret("another", "1h"), "1-abc"],
    ["comes after one that did, and was cut off", secret("one", "1h"), "0-abc"],
  ])("ends a run that %s", async (_, declared, synced) => {
    await expect(applying(declared, synced)).rejects.toThrow(/^ExternalSecret \w+ in ns: the store is down/);
  });
});
