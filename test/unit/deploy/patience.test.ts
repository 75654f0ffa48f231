import { describe, expect, test } from "vitest";
import type { Applied } from "../../../src/deploy/cluster.ts";
import { patient } from "../../../src/deploy/patience.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";

const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "ns" } };
const reference = { apiVersion: "v1", kind: "ConfigMap", name: "x", namespace: "ns" };
const away = () => new ConnectionFailure("away", { passing: true });

/** A cluster that gives these answers first. */
function answering(...answers: readonly (Applied | Error)[]) {
  const cluster = fakeCluster([config]);
  let asked = 0;
  let writes = 0;
  cluster.fault = () => answers[asked++];
  const note = () => {
    writes += 1;
  };
  return {
    cluster: patient(cluster, waitEvery(1, { silence: 60_000 }), note),
    asked: () => asked,
    writes: () => writes,
  };
}

describe("an API server that does not answer", () => {
  test("is asked again, whatever it was asked", async () => {
    const { cluster, asked } = answering(away(), away());
    expect((await cluster.get(reference))?.metadata.name).toBe("x");
    expect(asked()).toBe(3);
    const applying = answering(away());
    expect(await applying.cluster.apply(config)).toMatchObject({ outcome: "taken" });
    expect(applying.asked()).toBe(2);
  });

  test("is not asked for ever, and nobody around begins to wait anew", async () => {
    const cluster = fakeCluster();
    cluster.fault = away;
    const waiting = waitEvery(1, { silence: 20 });
    let rounds = 0;
    const waited = waiting.until(
      async () => {
        rounds += 1;
        return await patient(cluster, waiting).get(reference);
      },
      60_000,
      async () => "never",
    );
    await expect(waited).rejects.toMatchObject({ name: "ConnectionFailure", passing: false, message: "away" });
    expect(rounds).toBe(1);
  });

  test("is not asked twice to take a pod away: the second time it could be its successor", async () => {
    const { cluster, asked } = answering(away());
    await expect(cluster.remove({ ...reference, kind: "Pod" })).rejects.toThrow("away");
    expect(asked()).toBe(1);
  });

  test("that says no is not asked again", async () => {
    const { cluster, asked } = answering(new ConnectionFailure("log in again", {}));
    await expect(cluster.get(reference)).rejects.toThrow("log in again");
    expect(asked()).toBe(1);
  });
});

describe("a write", () => {
  test("counts once it is taken, or its answer was lost", async () => {
    const { cluster, writes } = answering();
    await cluster.apply(config, { dryRun: true });
    await cluster.get(reference);
    expect(writes()).toBe(0);
    await cluster.apply(config);
    expect(writes()).toBe(1);
    const lost = answering(new ConnectionFailure("log in again", {}));
    await expect(lost.cluster.apply(config)).rejects.toThrow();
    expect(lost.writes()).toBe(1);
  });

  test("does not count where it was refused", async () => {
    const { cluster, writes } = answering({ outcome: "refused", status: 403, says: "no" });
    expect(await cluster.apply(config)).toMatchObject({ outcome: "refused" });
    expect(writes()).toBe(0);
  });
});
