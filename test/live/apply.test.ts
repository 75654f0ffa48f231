import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { acquireLock } from "../../src/jetstream/lock.ts";
import { plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { streams as lock } from "../../streams/sync.ts";
import { modelWith, orders, realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
const now = () => Date.now() * 1e6;

async function applyOn(cluster: Cluster, model: Model): Promise<Outcome> {
  await using writer = await openWriter(cluster.target());
  return await apply(await plan(model, writer, policy, now()), writer, quiet);
}
async function changesOn(cluster: Cluster, model: Model): Promise<string[]> {
  await using reader = await openWriter(cluster.target());
  const { changes } = await plan(model, reader, policy, now());
  return changes
    .filter(({ change }) => change.action !== "none")
    .map(({ change }) => `${change.action} ${change.name}`);
}

describe.skipIf(without("nats-server", "test-ca"))("apply", () => {
  test.each(["local", "staging", "production"] as const)(
    "%s: creates everything, and a second plan is empty",
    async (name) => {
      const model = realModel(name);
      await using cluster = await Cluster.start(model);
      const outcome = await applyOn(cluster, model);
      expect(outcome.failed).toEqual([]);
      expect(outcome.done).toHaveLength(17);
      expect(await changesOn(cluster, model)).toEqual([]);
    },
  );

  test("stops at a stream that somebody changed after the plan", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    await applyOn(cluster, model);
    const connection = await cluster.connect();
    await request(connection, "STREAM.UPDATE.circl_dlq", { name: "circl_dlq", subjects: ["circl.dlq.>"], max_msgs: 5 });
    await using writer = await openWriter(cluster.target());
    const planned = await plan(model, writer, policy, now());
    await request(connection, "STREAM.UPDATE.circl_dlq", { name: "circl_dlq", subjects: ["circl.dlq.>"], max_msgs: 6 });
    await connection.close();
    const { done, failed } = await apply(planned, writer, quiet);
    expect(done).toEqual([]);
    expect(failed.map(({ error }) => error.message)).toEqual([
      "circl_dlq has changed since it was planned. Plan again and look at what is different now.",
    ]);
  });

  const local = {
    key: "local",
    environment: { name: "local", streamFigures: "staging", nats: { servers: 1, tls: false } },
  } as const;
  const single = { ...orders, replicas: 1 };
  const audit = { ...single, name: "audit", publishers: [] };

  test("moves a subject from one stream to another, letting go first", async () => {
    const before = modelWith({
      ...local,
      streams: [...lock, { ...single, subjects: ["orders.>", "audit.>"] }, { ...audit, subjects: ["other.>"] }],
    });
    const after = modelWith({ ...local, streams: [...lock, single, { ...audit, subjects: ["other.>", "audit.>"] }] });
    await using cluster = await Cluster.start(before);
    await applyOn(cluster, before);
    expect(await applyOn(cluster, after)).toEqual({ done: ["audit", "orders"], failed: [], notStarted: [] });
    expect(await changesOn(cluster, after)).toEqual([]);
  });

  test("deletes what is named, ours and no longer declared; and nothing else", async () => {
    const before = modelWith({ ...local, streams: [...lock, single, { ...audit, subjects: ["audit.>"] }] });
    const after = modelWith({ ...local, streams: [...lock, single] });
    await using cluster = await Cluster.start(before);
    await applyOn(cluster, before);
    const connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.somebody_elses", { name: "somebody_elses", subjects: ["else.>"] });
    await connection.close();
    await using writer = await openWriter(cluster.target());
    const wrong = { deletions: ["audit", "somebody_elses", "orders", "nothing"] };
    await expect(plan(after, writer, policy, now(), wrong)).rejects.toThrow(
      "nothing was done: --allow-delete orders is declared in streams/; " +
        "somebody_elses does not carry the mark of this environment",
    );
    const planned = await plan(after, writer, policy, now(), { deletions: ["audit"] });
    const verdicts = planned.changes.flatMap(({ verdicts }) => verdicts.map(({ code, leave }) => `${code} ${leave}`));
    expect(verdicts).toEqual(["P006 --allow-delete audit"]);
    expect(await apply(planned, writer, quiet)).toEqual({ done: ["audit"], failed: [], notStarted: [] });
    expect(await changesOn(cluster, after)).toEqual(["unmanaged somebody_elses"]);
  });

  test("deletes a consumer that is named and ours, though its stream is not declared any more", async () => {
    const reader = { name: "bff-audit", service: "bff" } as const;
    const former = { ...audit, subjects: ["audit.>"], consumers: [reader, { ...reader, name: "oms-audit" }] };
    const before = modelWith({ ...local, streams: [...lock, single, former] });
    const after = modelWith({ ...local, streams: [...lock, single] });
    await using cluster = await Cluster.start(before);
    await applyOn(cluster, before);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(after, writer, policy, now(), { deletions: ["audit/bff-audit", "audit/other"] });
    expect(planned.notes).toEqual(["--allow-delete audit/other: it is not there"]);
    expect(await apply(planned, writer, quiet)).toEqual({ done: ["audit/bff-audit"], failed: [], notStarted: [] });
    expect(await changesOn(cluster, before)).toEqual(["create audit/bff-audit"]);
  });

  test("replaces the consumer of a work queue: the old one goes first, or the server refuses the new one", async () => {
    const queue = (name: string) =>
      modelWith({
        ...local,
        streams: [
          ...lock,
          {
            ...single,
            retention: "workqueue",
            consumers: [{ name, service: "oms", ackPolicy: "explicit", maxDeliver: 3 }],
          },
        ],
      });
    await using cluster = await Cluster.start(queue("old"));
    await applyOn(cluster, queue("old"));
    await using writer = await openWriter(cluster.target());
    const planned = await plan(queue("new"), writer, policy, now(), { deletions: ["orders/old"] });
    expect(await apply(planned, writer, quiet)).toEqual({
      done: ["orders/new", "orders/old"],
      failed: [],
      notStarted: [],
    });
  });

  const reader = { name: "oms-orders", service: "oms", ackPolicy: "explicit" } as const;
  const reading = modelWith({ ...local, streams: [...lock, { ...single, consumers: [reader] }] });

  test("interrupted before its first change, it names all that it has left out", async () => {
    await using cluster = await Cluster.start(reading);
    await using writer = await openWriter(cluster.target());
    const planned = await plan(reading, writer, policy, now());
    expect(await apply(planned, writer, { ...quiet, interrupted: () => true })).toEqual({
      done: [],
      failed: [],
      notStarted: ["circl_lock", "orders", "orders/oms-orders"],
    });
    const { streams } = await writer.read<{ streams: number }>("INFO");
    expect(streams).toBe(0);
  });

  test("begins nothing behind what it has left out", async () => {
    await using cluster = await Cluster.start(reading);
    await applyOn(cluster, modelWith({ ...local, streams: lock }));
    await using writer = await openWriter(cluster.target());
    const planned = await plan(reading, writer, policy, now());
    // Asked for the lock, for the stream, for its consumer.
    const answers = [false, true, false];
    const interrupted = () => answers.shift() ?? false;
    expect(await apply(planned, writer, { ...quiet, interrupted })).toEqual({
      done: [],
      failed: [],
      notStarted: ["orders", "orders/oms-orders"],
    });
  });

  test("two at once: one applies, the other says who does", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    await applyOn(cluster, model);
    await using writer = await openWriter(cluster.target());
    {
      await using held = await acquireLock(writer, "alice@laptop", { wait: 0 });
      expect(held.lost()).toBeUndefined();
      const planned = await plan(model, writer, policy, now());
      await expect(apply(planned, writer, quiet)).rejects.toThrow(
        /^alice@laptop applies since .*\. Wait with --lock-timeout; /,
      );
      const waiting = apply(planned, writer, { ...quiet, lockWait: 5_000 });
      await held[Symbol.asyncDispose]();
      await expect(waiting).resolves.toMatchObject({ failed: [] });
    }
  });

  test("of ten that want the lock at the same time exactly one gets it", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    await applyOn(cluster, model);
    await using writer = await openWriter(cluster.target());
    const attempts = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => acquireLock(writer, `job-${i}`, { wait: 0 })),
    );
    const locks = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.[Symbol.asyncDispose]();
  });
});
