import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/deploy/object.ts";
import { keepSteps } from "../../../src/deploy/report.ts";
import { applyStages, type RunInput } from "../../../src/deploy/run.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
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
