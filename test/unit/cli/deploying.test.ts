/** What a deploy ends in, by what fails. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Interrupted } from "../../../src/cli/interrupts.ts";
import { LeaveMissing } from "../../../src/cli/stream-step.ts";
import { StepFailure } from "../../../src/deploy/step.ts";
import { ConnectionFailure } from "../../../src/jetstream/api.ts";
import { LockHeld } from "../../../src/jetstream/lock.ts";
import { before, confOf, crashes, reloading, run, running, serversOf } from "../../support/deployed-production.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";

const failing = (error: Error) => ({ manifests: reloading, applyStreams: () => Promise.reject(error) });

// Progress, of two dozen deploys.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
});
afterAll(() => {
  vi.restoreAllMocks();
});

describe("a deploy", () => {
  test("that ends well is recorded so", async () => {
    const { result, record, steps } = await run(running(), { manifests: reloading });
    expect({ result, record }).toEqual({ result: "done", record: ["deploy c done", "deploy b done"] });
    expect(steps.find(({ name }) => name === "reload")?.says).toEqual(["3 servers run with the new configuration"]);
  });

  test("whose pods never get ready is put back, and both are recorded", async () => {
    const cluster = running();
    cluster.serves = (template) => !crashes(template);
    const { result, says, record } = await run(cluster);
    expect(result).toBe("rolled back");
    expect(says).toEqual([
      "nats-2 is not ready: container nats CrashLoopBackOff, 9 restarts",
      `Commit ${"b".repeat(40)} is there again, and verified. Streams stay as they are.`,
    ]);
    expect(record).toEqual(["rollback b done", "deploy c failed", "deploy b done"]);
    expect(cluster.find("StatefulSet", "nats")?.spec).toEqual(
      before.objects.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "nats")?.spec,
    );
  });

  test.each([
    ["a step that fails", new StepFailure("orders: no")],
    ["NATS that refuses", new StepFailure("insufficient resources", { cause: "ApiError" })],
    ["a fault of our own", new TypeError("x is not a function")],
  ])("%s after something was applied is put back", async (_, error) => {
    const cluster = running();
    const { result, record } = await run(cluster, failing(error));
    expect({ result, record }).toEqual({
      result: "rolled back",
      record: ["rollback b done", "deploy c failed", "deploy b done"],
    });
    expect(confOf(cluster)).toContain("max_payload: 8MiB");
  });

  test("that may not begin the streams, because somebody else applies, stays as it is", async () => {
    const cluster = running();
    const { result, says, record } = await run(cluster, failing(new LockHeld("alice applies since noon")));
    expect({ result, record }).toEqual({ result: "failed", record: ["deploy c failed", "deploy b done"] });
    expect(says[1]).toMatch(/^Nothing is rolled back: the manifests stand, the streams wait\./);
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });

  test("that lacks leave for a stream stays as it is, with what the manifests have mended", async () => {
    const cluster = running();
    const error = new LeaveMissing("streams were not applied. To give leave: --allow-loss orders");
    const { result, says, record, newest } = await run(cluster, failing(error));
    expect({ result, record }).toEqual({ result: "failed", record: ["deploy c failed", "deploy b done"] });
    expect(says).toEqual([
      "streams were not applied. To give leave: --allow-loss orders",
      "Nothing is rolled back: the manifests stand, the streams wait. Give the leave, or take the change back, and run the same command again.",
    ]);
    expect(newest?.says).toBe("streams were not applied. To give leave: --allow-loss orders");
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });

  test("that is interrupted in its streams is neither put back nor recorded as done", async () => {
    const { result, says, record, newest } = await run(running(), failing(new Interrupted("Interrupted: 1 of 2")));
    expect({ result, says, record }).toEqual({
      result: "interrupted",
      says: ["Interrupted: 1 of 2"],
      record: ["deploy c failed", "deploy b done"],
    });
    expect(newest?.says).toBe("Interrupted: 1 of 2");
  });

  test("that fails before anything was written says so, and so does its record", async () => {
    const cluster = running();
    cluster.fault = (operation) =>
      operation === "apply Namespace circl-backbone"
        ? { outcome: "conflict", conflicts: [{ field: "metadata.labels", owner: "bob" }] }
        : undefined;
    const { result, says, record, newest } = await run(cluster);
    expect({ result, record, untouched: newest?.untouched }).toEqual({
      result: "failed",
      record: ["deploy c failed", "deploy b done"],
      untouched: true,
    });
    expect(says).toEqual([
      "Namespace circl-backbone was not applied: metadata.labels belongs to bob",
      "Nothing was applied. Mend it and run the same command again.",
    ]);
  });
});

describe("the namespace of the record", () => {
  test("stays away while somebody else deploys", async () => {
    const now = new Date().toISOString();
    const other = { kind: "deploy", commit: "d", digest: "d", who: "bob", started: now, result: "running" } as const;
    const cluster = running([other]);
    await expect(run(cluster)).rejects.toThrow(/^a deploy of bob runs since/);
    expect(cluster.written).toEqual([]);
  });

  test("comes before the record where it is not there yet, and is said to be empty where nothing else comes", async () => {
    const cluster = fakeCluster();
    cluster.fault = (operation) =>
      operation === "apply Namespace circl-backbone" && cluster.written.includes("apply ConfigMap circl-deploys")
        ? { outcome: "refused", status: 403, says: "a webhook says no" }
        : undefined;
    const { says } = await run(cluster);
    expect(cluster.written.slice(0, 2)).toEqual(["apply Namespace circl-backbone", "apply ConfigMap circl-deploys"]);
    expect(says).toEqual([
      "Namespace circl-backbone was not applied: a webhook says no",
      "Nothing was applied. Mend it and run the same command again.",
      "Namespace circl-backbone was made and is empty.",
    ]);
  });

  test("is left to the run, under its record, where it is there", async () => {
    const cluster = running();
    await run(cluster, { manifests: reloading });
    expect(cluster.written.slice(0, 2)).toEqual(["apply ConfigMap circl-deploys", "apply ConfigMap circl-deploys"]);
  });
});

describe("an API server that does not answer", () => {
  const away = () => new ConnectionFailure("the server is away", { passing: true });

  test("for a moment is waited for, at every question and every write", async () => {
    const cluster = running();
    let questions = 0;
    cluster.fault = () => {
      questions += 1;
      return questions > 1 && questions % 3 === 0 ? away() : undefined;
    };
    // The first look is not part of the run that waits.
    const { result } = await run(cluster, { manifests: reloading, pace: { interval: 1, silence: 60_000 } });
    expect(result).toBe("done");
    expect(questions).toBeGreaterThan(300);
  });

  test("any more ends the run without a way back, and says how to go on", async () => {
    const cluster = running();
    cluster.fault = (operation) =>
      cluster.written.includes("apply Service nats") && !operation.includes("circl-deploys") ? away() : undefined;
    const { result, says, record } = await run(cluster);
    expect({ result, record }).toEqual({ result: "failed", record: ["deploy c failed", "deploy b done"] });
    expect(says).toEqual([
      "the server is away",
      "Nothing is rolled back while the cluster cannot be asked. Run the same command again: it goes on from there.",
    ]);
  });

  test("when the end is to be recorded leaves the report, and what to do", async () => {
    const cluster = running();
    cluster.fault = () => (cluster.written.includes("apply Service nats") ? away() : undefined);
    const { result, says } = await run(cluster);
    expect(result).toBe("failed");
    expect(says.at(-1)).toBe("The record could not be written: the server is away");
  });

  test("when a good end is to be recorded is no reason to go back", async () => {
    const cluster = running();
    let verified = false;
    const servers = serversOf(cluster, {
      problems: async () => {
        verified = true;
        return [];
      },
    });
    cluster.fault = (operation) => (verified && operation === "apply ConfigMap circl-deploys" ? away() : undefined);
    const { result, says } = await run(cluster, { servers, manifests: reloading });
    expect({ result, says }).toEqual({
      result: "failed",
      says: [
        "The record could not be written: the server is away",
        "Everything is applied and verified. Run the same command again, so that the record says so too.",
      ],
    });
    expect(confOf(cluster)).toContain("max_payload: 4MiB");
  });
});
