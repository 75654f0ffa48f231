import { describe, expect, test } from "vitest";
import { type Journal, openJournal, readRecord } from "../../../src/deploy/journal.ts";
import { recordOf } from "../../../src/deploy/record.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";

const run = { kind: "deploy", commit: "c", digest: "of c", who: "alice" } as const;
const other = { ...run, who: "bob", started: new Date(0).toISOString(), result: "running" } as const;
const open = (cluster = fakeCluster(), interval = 15_000) => openJournal(cluster, "ns", run, interval);
const newestIn = async (cluster = fakeCluster()) => (await readRecord(cluster, "ns"))[0];
const eventually = (ask: () => Promise<boolean>) =>
  waitEvery(1).until(
    async () => ((await ask()) ? true : undefined),
    30_000,
    async () => "never",
  );
const thrownBy = (journal: Journal): string => {
  try {
    journal.check();
    return "";
  } catch (error) {
    return (error as Error).name;
  }
};

describe("the record of a run", () => {
  test("says that it runs, and how it ended", async () => {
    const cluster = fakeCluster();
    const journal = await open(cluster);
    expect(await newestIn(cluster)).toMatchObject({ ...run, result: "running" });
    await journal.close({ result: "failed", says: "why", untouched: true });
    expect(await readRecord(cluster, "ns")).toMatchObject([
      { ...run, result: "failed", says: "why", untouched: true, seconds: 0 },
    ]);
  });

  test("is renewed by itself, whatever the run does meanwhile", async () => {
    const cluster = fakeCluster();
    const journal = await open(cluster, 1);
    await eventually(async () => (await newestIn(cluster))?.renewed !== undefined);
    await journal.close({ result: "done" });
    expect(await newestIn(cluster)).toMatchObject({ result: "done" });
  });

  test("keeps what was noted through its signs of life and a bad end, and loses it in a good one", async () => {
    const reload = { what: "keys", from: "c", digest: "d", before: [["nats-0", { config_digest: "a" }]] } as const;
    const cluster = fakeCluster();
    const failing = await open(cluster, 1);
    await failing.note({ reload });
    const { renewed } = (await newestIn(cluster)) ?? {};
    await eventually(async () => (await newestIn(cluster))?.renewed !== renewed);
    expect(await newestIn(cluster)).toMatchObject({ result: "running", reload });
    await failing.close({ result: "failed" });
    expect(await newestIn(cluster)).toMatchObject({ result: "failed", reload });
    const well = await open(cluster);
    expect(well.earlier).toMatchObject([{ reload }]);
    await well.note({ reload });
    await well.close({ result: "done" });
    expect((await newestIn(cluster))?.reload).toBeUndefined();
  });

  test("keeps a second run away while the first gives signs", async () => {
    const cluster = fakeCluster();
    const journal = await open(cluster);
    await expect(open(cluster)).rejects.toThrow(/^a deploy of alice runs since .* Wait for its end/);
    await journal.close({ result: "done" });
    await (await open(cluster)).close({ result: "done" });
  });

  test("that another run has taken over is not written again, and the run hears of it", async () => {
    const cluster = fakeCluster();
    const journal = await open(cluster, 1);
    cluster.put(recordOf([other], "ns", undefined));
    await eventually(async () => thrownBy(journal) !== "");
    expect(thrownBy(journal)).toBe("AlreadyRunning");
    await expect(journal.close({ result: "done" })).rejects.toThrow("was written by another run meanwhile");
    expect(await newestIn(cluster)).toEqual(other);
  });

  test("goes on over its own write whose answer was lost, and over signs that did not arrive", async () => {
    const cluster = fakeCluster();
    const journal = await open(cluster);
    const [mine] = await readRecord(cluster, "ns");
    cluster.put(recordOf(mine ? [{ ...mine, renewed: mine.started }] : [], "ns", undefined));
    await journal.close({ result: "done" });
    expect(await newestIn(cluster)).toMatchObject({ result: "done" });

    const again = await open(cluster, 1);
    let lost = 0;
    cluster.fault = (operation) => {
      if (!operation.startsWith("apply")) return undefined;
      lost += 1;
      return new ConnectionFailure("away", {});
    };
    await eventually(async () => lost > 2);
    cluster.fault = () => undefined;
    expect(thrownBy(again)).toBe("");
    await again.close({ result: "done" });
  });

  test("that somebody has edited is not taken from them, and the way to give it back is said", async () => {
    const cluster = fakeCluster();
    cluster.fault = (operation) =>
      operation.startsWith("apply")
        ? { outcome: "conflict", conflicts: [{ field: "data.deploys.json", owner: "kubectl-edit" }] }
        : undefined;
    await expect(open(cluster)).rejects.toMatchObject({
      name: "StepFailure",
      message:
        "ConfigMap circl-deploys was not written: data.deploys.json belongs to kubectl-edit, who has edited it. To give it back: " +
        "kubectl --context fake --namespace ns get configmap circl-deploys -o json | " +
        `sed 's/"deploys.json": "/& /' | ` +
        "kubectl --context fake --namespace ns apply --server-side --force-conflicts --field-manager circl -f -",
    });
  });

  test("that may not be written stops the run before it begins", async () => {
    const cluster = fakeCluster();
    cluster.fault = (operation) =>
      operation.startsWith("apply") ? { outcome: "refused", status: 403, says: "forbidden" } : undefined;
    await expect(open(cluster)).rejects.toMatchObject({
      name: "StepFailure",
      message: "ConfigMap circl-deploys was not written: forbidden",
    });
  });
});
