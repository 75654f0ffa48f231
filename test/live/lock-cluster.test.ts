import { describe, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { acquireLock, LOCK_STREAM } from "../../src/jetstream/lock.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster, stop } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

// As streams/sync.ts has it where there are three servers.
const lock = { name: LOCK_STREAM, subjects: ["circl.sync.lock"], num_replicas: 3, storage: "memory" };

describe.skipIf(without("nats-server", "test-ca"))("the lock on three servers", () => {
  test("goes to exactly one of ten that want it at the same moment, round after round", async () => {
    await using cluster = await Cluster.start(realModel("production"));
    await using writer = await openWriter(cluster.target());
    await writer.write("STREAM.CREATE", [LOCK_STREAM], lock);
    for (let round = 0; round < 5; round++) {
      const attempts = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => acquireLock(writer, `job-${i}`, { wait: 0 })),
      );
      const reasons = attempts.flatMap((attempt) => (attempt.status === "rejected" ? [attempt.reason.message] : []));
      for (const reason of reasons) expect(reason).toMatch(/^job-\d applies since /);
      expect(reasons).toHaveLength(9);
      for (const attempt of attempts) if (attempt.status === "fulfilled") await attempt.value[Symbol.asyncDispose]();
    }
  });

  test("outlives the server that leads it", async () => {
    await using cluster = await Cluster.start(realModel("production"));
    const connection = await cluster.connect();
    const created = await request(connection, `STREAM.CREATE.${LOCK_STREAM}`, lock);
    await connection.close();
    const leads = cluster.servers.findIndex((_, i) => created.cluster?.leader === `circl-production-nats-${i}`);
    const others = { ...cluster.target(), servers: cluster.target().servers.filter((_, i) => i !== leads) };
    await using writer = await openWriter(others);
    await using rival = await openWriter(others);
    const pace = { lifetime: 60_000, renewal: 50, retry: 50 };
    await using held = await acquireLock(writer, "alice", { wait: 0, pace });
    const leading = cluster.servers[leads];
    expect(leading).toBeDefined();
    if (leading) await stop(leading.process);
    const sequence = async () => {
      const { message } = await rival.read<{ message: { seq: number } }>("STREAM.MSG.GET", [LOCK_STREAM], {
        last_by_subj: "circl.sync.lock",
      });
      return message.seq;
    };
    const before = await sequence();
    await expect.poll(sequence, { timeout: 40_000, interval: 200 }).toBeGreaterThan(before);
    expect(held.lost()).toBeUndefined();
    await expect(acquireLock(rival, "bob", { wait: 0 })).rejects.toThrow(/^alice applies since /);
  });

  test("is free once all servers have started anew, as it lay in their memory", async () => {
    await using cluster = await Cluster.start(realModel("production"));
    const writer = await openWriter(cluster.target());
    await writer.write("STREAM.CREATE", [LOCK_STREAM], lock);
    await using _ = await acquireLock(writer, "alice", { wait: 0 });
    await writer[Symbol.asyncDispose]();
    await Promise.all(cluster.servers.map(({ process }) => stop(process)));
    await Promise.all(cluster.servers.map((_, i) => cluster.restart(i)));
    await using after = await openWriter(cluster.target());
    const taken = () =>
      acquireLock(after, "bob", { wait: 0 }).then(
        () => "taken",
        (error: Error) => error.message,
      );
    await expect.poll(taken, { timeout: 50_000, interval: 500 }).toBe("taken");
  });
});
