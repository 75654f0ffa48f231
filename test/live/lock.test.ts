import { setTimeout as sleep } from "node:timers/promises";
import { type NatsConnection, NatsError } from "nats";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { renderOutcome } from "../../src/cli/output/plan.ts";
import { explainFailure } from "../../src/connect/failure.ts";
import { openWriter } from "../../src/connect/nats.ts";
import { ConnectionFailure, type Writer } from "../../src/jetstream/api.ts";
import { acquireLock, Interrupted } from "../../src/jetstream/lock.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

describe.skipIf(without("nats-server"))("the lock", () => {
  let cluster: Cluster;
  let connection: NatsConnection;
  let writer: Writer & AsyncDisposable;
  const pace = { lifetime: 60_000, renewal: 20, retry: 20 };
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("local"));
    connection = await cluster.connect();
    await request(connection, "STREAM.CREATE.circl_lock", { name: "circl_lock", subjects: ["circl.sync.lock"] });
    writer = await openWriter(cluster.target());
  });
  // A release that fails leaves the lock held.
  beforeEach(async () => {
    await request(connection, "STREAM.PURGE.circl_lock");
  });
  afterAll(async () => {
    await connection?.close();
    await writer?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** A writer whose publishes after the first do what `renewal` does, by their number. */
  const renewingBy = (renewal: (count: number, send: () => Promise<number>) => Promise<number>) => {
    const state = { count: 0 };
    const publishAfter: Writer["publishAfter"] = (...message) => {
      const send = () => writer.publishAfter(...message);
      return state.count++ === 0 ? send() : renewal(state.count - 1, send);
    };
    return { state, writer: { ...writer, publishAfter } };
  };
  const failing = (passing: boolean) => Promise.reject(new ConnectionFailure("no answer in time", { passing }));

  test.each([true, false])("outlives renewals that fail, passing %s", async (passing) => {
    const flaky = renewingBy((count, send) => (count % 3 === 0 ? send() : failing(passing)));
    await using lock = await acquireLock(flaky.writer, "alice", { wait: 0, pace });
    await expect.poll(() => flaky.state.count, { timeout: 20_000 }).toBeGreaterThan(7);
    expect(lock.lost()).toBeUndefined();
    await expect(acquireLock(writer, "bob", { wait: 0 })).rejects.toThrow(/^alice applies since /);
  });

  test("is lost when its time is over, and says why", async () => {
    const dead = renewingBy(() => failing(false));
    await using lock = await acquireLock(dead.writer, "alice", { wait: 0, pace: { ...pace, lifetime: 500 } });
    await expect
      .poll(() => lock.lost(), { timeout: 20_000 })
      .toBe("it could not be renewed within 0.5 s: no answer in time");
    const outcome = { done: [], failed: [], notStarted: ["a"], lockLost: lock.lost() ?? "" };
    expect(renderOutcome(outcome)).toMatch(/^the lock was lost: it could not be renewed .*\nnot started: a\n/);
  });

  test("names who took it", async () => {
    const slow = { ...pace, lifetime: 1, renewal: 500 };
    await using lock = await acquireLock(writer, "alice", { wait: 0, pace: slow });
    await using _ = await acquireLock(writer, "bob", { wait: 20_000 });
    await expect.poll(() => lock.lost(), { timeout: 20_000 }).toBe("bob has it now");
  });

  test("is free after disposal, though a renewal was in flight", async () => {
    const slow = renewingBy(async (_, send) => {
      await sleep(300);
      return await send();
    });
    const lock = await acquireLock(slow.writer, "alice", { wait: 0, pace });
    await expect.poll(() => slow.state.count, { timeout: 20_000 }).toBe(2);
    await lock[Symbol.asyncDispose]();
    await using next = await acquireLock(writer, "bob", { wait: 0 });
    await sleep(400);
    expect(next.lost()).toBeUndefined();
  });

  /** A writer on a machine whose clock is wrong by so many milliseconds. */
  const offBy = async <T>(milliseconds: number, work: () => Promise<T>): Promise<T> => {
    const now = Date.now;
    vi.spyOn(Date, "now").mockImplementation(() => now() + milliseconds);
    try {
      return await work();
    } finally {
      vi.restoreAllMocks();
    }
  };

  test.each([-600_000, 600_000])(
    "is held, and let go, whatever the clock of who wants it says: %i ms",
    async (wrong) => {
      const lock = await acquireLock(writer, "alice", { wait: 0, pace });
      const wanted = () => offBy(wrong, () => acquireLock(writer, "bob", { wait: 0 }));
      await expect(wanted()).rejects.toThrow(/^alice applies since .*, by the servers' clock\.$/);
      await lock[Symbol.asyncDispose]();
      await using next = await wanted();
      expect(next).toBeDefined();
    },
  );

  test.each([-600_000, 600_000])(
    "runs out when its holder died, whatever the clock of that said: %i ms",
    async (wrong) => {
      const dying = { lifetime: 1_000, renewal: 60_000, retry: 60_000 };
      await using _ = await offBy(wrong, () => acquireLock(writer, "alice", { wait: 0, pace: dying }));
      await expect(acquireLock(writer, "bob", { wait: 0 })).rejects.toThrow(/^alice applies since /);
      await using next = await acquireLock(writer, "bob", { wait: 50_000 });
      expect(next.lost()).toBeUndefined();
    },
  );

  test("of an older version, which named no lifetime, runs out as well", async () => {
    const old = { holder: "alice", since: "2026-01-01T00:00:00Z", until: "2026-01-01T00:02:00Z" };
    await writer.publishAfter("circl.sync.lock", JSON.stringify(old), 0);
    await expect(acquireLock(writer, "bob", { wait: 0 })).rejects.toThrow(/its lock is free at \d{4}-.*Z, by /);
  });

  test("that somebody else holds is not waited for any more once that is interrupted", async () => {
    await using _ = await acquireLock(writer, "alice", { wait: 0 });
    let asked = 0;
    const interrupted = () => ++asked > 2;
    await expect(acquireLock(writer, "bob", { wait: 600_000, interrupted })).rejects.toThrow(Interrupted);
  });

  test("a publish that nobody answers may have met an election", () => {
    const { message, passing } = explainFailure(new NatsError("503", "503"), "publishing", "here") as ConnectionFailure;
    expect(message).toMatch(/^publishing: nobody answers: the stream has no leader now, or JetStream is off /);
    expect(passing).toBe(true);
  });
});
