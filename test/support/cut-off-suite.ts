/** An apply of thirty changes that is cut off, spoiled or met by another: what is there afterwards is what was asked for, once. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWriter } from "../../src/connect/nats.ts";
import { apply, type Outcome } from "../../src/jetstream/apply.ts";
import { LOCK_STREAM } from "../../src/jetstream/lock.ts";
import { type Plan, plan } from "../../src/jetstream/plan.ts";
import type { Model } from "../../src/model/resolve.ts";
import { policy } from "../../src/rules/changes.ts";
import { versionOf } from "./create-refusal-suite.ts";
import { type ChooseFault, FaultProxy } from "./fault-proxy.ts";
import { request } from "./jetstream.ts";
import { Cluster } from "./nats-server.ts";
import { after, before, begin, births, expectNothingLost, LEAVE } from "./thirty-changes.ts";
import { tool } from "./tools.ts";

const quiet = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 60_000 };
const WRITE = /^\$JS\.API\.(STREAM\.(CREATE|UPDATE|DELETE)|CONSUMER\.(CREATE|DELETE))\./;
const changes = (subject: string): boolean => WRITE.test(subject) || subject === "circl.sync.lock";

/** @param sample which of the writes the apply is cut off behind, given how many there are */
export function cutOffSuite(server: string, servers: 1 | 3, sample: (writes: number) => readonly number[]): void {
  const [start, goal] = [before(servers, versionOf(server)), after(servers, versionOf(server))];
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(start, { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  const through = (proxy: FaultProxy, timeout = 10_000) =>
    openWriter({ ...cluster.target(), servers: [`127.0.0.1:${proxy.port}`], timeout });
  const proxied = (choose: ChooseFault) => FaultProxy.start(cluster.servers[0]?.clientPort ?? 0, choose);
  const planned = async (model: Model, scope = {}): Promise<Plan> => {
    await using writer = await openWriter(cluster.target());
    return await plan(model, writer, policy, Date.now() * 1e6, scope);
  };
  const applied = async (planning: Plan, options = quiet): Promise<Outcome> => {
    await using writer = await openWriter(cluster.target());
    return await apply(planning, writer, options);
  };
  const expectGoal = async () => {
    let { summary } = await planned(goal);
    // A group that elects its leader once more cannot be asked meanwhile.
    for (let attempt = 0; summary.unknown > 0 && attempt < 60; attempt++) {
      await sleep(500);
      summary = (await planned(goal)).summary;
    }
    const none = { create: 0, update: 0, recreate: 0, delete: 0, blocked: 0, unknown: 0, unmanaged: 0 };
    expect(summary).toEqual({ ...none, unchanged: 24 });
    await expectNothingLost(connection);
  };
  const namesOf = ({ done, failed, notStarted }: Outcome): string[] =>
    [...done, ...failed.map(({ name }) => name), ...notStarted].sort();
  /** Applies to the beginning, with the connection lost behind the answer to one write. @returns how many there were */
  const cutBehind = async (write: number): Promise<{ readonly outcome: Outcome; readonly writes: number }> => {
    let writes = 0;
    await using proxy = await proxied((_, subject) => (WRITE.test(subject) && ++writes === write ? "cut" : "none"));
    const writer = await through(proxy);
    const gone = proxy.cut.then(() => writer[Symbol.asyncDispose]());
    const planning = await plan(goal, writer, policy, Date.now() * 1e6, LEAVE);
    const outcome = await apply(planning, writer, quiet);
    await (Number.isFinite(write) ? gone : writer[Symbol.asyncDispose]());
    return { outcome, writes };
  };

  test("cut off behind a write it is finished by the next apply, and nothing is done twice or lost", async () => {
    await begin(connection, start);
    const { summary } = await planned(goal, LEAVE);
    expect(summary).toMatchObject({ create: 12, update: 9, recreate: 2, delete: 7, blocked: 0, unknown: 0 });
    const { outcome: whole, writes } = await cutBehind(Number.POSITIVE_INFINITY);
    expect(whole).toEqual({ done: expect.any(Array), failed: [], notStarted: [] });
    expect(whole.done).toHaveLength(30);
    await expectGoal();
    // Recreating takes four writes: the guard comes, the old one goes, the new one comes, the guard goes.
    expect(writes).toBe(30 + 2 * 3);

    for (const write of sample(writes)) {
      await begin(connection, start);
      const born = await births(connection);
      const { outcome: first } = await cutBehind(write);
      expect(first.failed, `behind write ${write}`).not.toEqual([]);
      expect(namesOf(first), `behind write ${write}`).toEqual(whole.done);
      const between = await births(connection);
      // Whoever dies holds the lock until its time is over; that is another test's.
      await request(connection, `STREAM.PURGE.${LOCK_STREAM}`);
      const second = await applied(await planned(goal, LEAVE));
      expect([second.failed, second.notStarted], `behind write ${write}`).toEqual([[], []]);
      expect(second.done.filter((name) => first.done.includes(name))).toEqual([]);
      await expectGoal();
      for (const [name, created] of await births(connection)) {
        for (const earlier of [born, between]) expect(earlier.get(name) ?? created, name).toBe(created);
      }
    }
  });

  const KINDS = ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.DELETE", "CONSUMER.CREATE", "CONSUMER.DELETE"];
  const firstOfEach = (): ChooseFault => {
    const seen = new Set<string>();
    return (_, subject) => {
      const fault = !seen.has(subject) && changes(subject) ? "drop" : "none";
      seen.add(subject);
      return fault;
    };
  };
  test.each<readonly [string, ChooseFault]>([
    ["the first answer to each write is dropped", firstOfEach()],
    [
      "each answer to a write is delayed, and every second other one",
      (answer, subject) => (changes(subject) || answer % 2 === 1 ? "delay" : "none"),
    ],
    ["every answer comes twice", () => "double"],
  ])("%s: everything is done once, and nothing is lost", async (_, choose) => {
    await begin(connection, start);
    const born = await births(connection);
    await using proxy = await proxied(choose);
    // No answer in time means another attempt: short where answers are dropped, on a cluster that is loaded too.
    await using writer = await through(proxy, servers === 1 ? 1_000 : 1_500);
    const outcome = await apply(await plan(goal, writer, policy, Date.now() * 1e6, LEAVE), writer, quiet);
    expect([outcome.failed, outcome.notStarted, outcome.done.length]).toEqual([[], [], 30]);
    const spoiled = proxy.spoiled.join("\n");
    for (const kind of [...KINDS.map((verb) => `$JS.API.${verb}.`), "circl.sync.lock"]) expect(spoiled).toContain(kind);
    await expectGoal();
    for (const [name, created] of await births(connection)) expect(born.get(name) ?? created, name).toBe(created);
  });

  test("while it runs another one does nothing, and says who runs", async () => {
    await begin(connection, start);
    let held = () => {};
    const holding = new Promise<void>((done) => {
      held = done;
    });
    await using proxy = await proxied((_, subject) => {
      if (subject !== "$JS.API.STREAM.UPDATE.giver") return "none";
      held();
      return "hold";
    });
    await using writer = await through(proxy);
    const [one, other] = [await plan(goal, writer, policy, Date.now() * 1e6, LEAVE), await planned(goal, LEAVE)];
    const first = apply(one, writer, { ...quiet, holder: "alice@laptop" });
    await holding;
    await expect(applied(other)).rejects.toThrow(/^alice@laptop applies since .*\. Wait with --lock-timeout; /);
    proxy.release();
    expect(await first).toMatchObject({ failed: [], notStarted: [] });
    await expectGoal();
  });

  test("two after another from plans of the same moment: the second stops at what the first has changed", async () => {
    await begin(connection, start);
    const [one, other] = [await planned(goal, LEAVE), await planned(goal, LEAVE)];
    const waiting = { ...quiet, lockWait: 120_000 };
    const both = await Promise.all([applied(one, waiting), applied(other, waiting)]);
    const [first, second] = both.toSorted((a, b) => a.failed.length - b.failed.length);
    expect(first).toMatchObject({ failed: [], notStarted: [] });
    expect(second?.failed.length).toBeGreaterThan(0);
    for (const { error } of second?.failed ?? []) {
      expect(error.message).toMatch(/has changed since it was planned|not found/);
    }
    await expectGoal();
  });
}
