/** What we say an update deletes, against what is gone after it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { StreamInfo } from "../../src/jetstream/api.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import { request } from "./jetstream.ts";
import { consumerUpdate } from "./jetstream-changes.ts";
import { type EffectBench, effectBench } from "./jetstream-effect-bench.ts";
import { expectAtLeast, expectForetold, expectWithin, lost, lostBytes, settled, state } from "./jetstream-effects.ts";
import { LOSSES } from "./jetstream-losses.ts";
import { createConsumer, titled } from "./jetstream-refusal-suite.ts";
import { freshName } from "./jetstream-round-trip.ts";
import { sourceEffectSuite } from "./jetstream-source-effect-suite.ts";

export function effectSuite(server: string, environment: "local" | "staging" = "local"): void {
  const bench = effectBench(server, environment);
  lossSuite(bench);
  limitSuite(bench);
  sourceEffectSuite(bench);
}

/** The table of updates that lose messages, and of those beside them. */
function lossSuite({ connection, create, update, judge, ok, publish }: EffectBench): void {
  const acknowledge = async (name: string, config: WireConfig, count: number) => {
    const consumer = await connection().jetstream().consumers.get(name, String(config.name));
    for (let i = 0; i < count; i++) {
      const message = await consumer.next({ expires: 5_000 });
      if (config.ack_policy !== "none") await message?.ackAck();
    }
  };

  test.each(titled(LOSSES))(
    "%s",
    async (_, { before, meanwhile, publish: load, consumers = [], after, kinds, atMost }) => {
      const name = freshName();
      const named = { name, subjects: ["$T.>"] };
      await create({ ...named, ...before });
      if (before.retention === "interest")
        for (const { config } of consumers) await ok(createConsumer(connection(), name, config));
      for (const [subject, count] of Object.entries(load ?? { "$T.a": 40 })) await publish(subject, count);
      if (meanwhile) await update({ ...named, ...meanwhile });
      for (const { config, acknowledges } of consumers) {
        if (before.retention !== "interest") await ok(createConsumer(connection(), name, config));
        await acknowledge(name, config, acknowledges);
      }
      const { effects, gone } = await judge({ ...named, ...after });
      if (kinds) expect([...new Set(effects.map(({ kind }) => kind))]).toEqual(kinds);
      if (atMost) expectAtLeast(effects, gone);
      else expectForetold(effects, gone);
    },
  );
}

function limitSuite({ connection, create, update, change, judge, predicted, ok, publish }: EffectBench): void {
  /** Shortens the age of what is there, and says what was foretold and what is gone. */
  const shorten = (name: string, milliseconds: number) =>
    judge({ name, subjects: ["$T.>"], max_age: milliseconds * 1e6, duplicate_window: 1e8 });

  test("max_age, of messages that came evenly, all too early, or all late enough", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    await create(named);
    for (let i = 0; i < 30; i++) {
      await publish("$T.a", 1);
      await sleep(100);
    }
    const late = await shorten(name, 60_000);
    expect(lost(late.effects)).toBe(0);
    expect(late.gone).toEqual({ messages: 0, bytes: 0 });
    const even = await shorten(name, 1_500);
    expect(even.gone.messages).toBeGreaterThan(5);
    expectForetold(even.effects, even.gone);
    await update(named);
    await sleep(300);
    const early = await shorten(name, 200);
    expect(early.gone.messages).toBeGreaterThan(10);
    expect({ messages: lost(early.effects), bytes: lostBytes(early.effects) }).toEqual(early.gone);
  });

  test.each<[string, number, number]>([
    ["a burst, and a trickle since", 40, 2],
    ["two messages, far apart", 1, 1],
    ["one message, and a burst since", 1, 40],
  ])("max_age, of %s: within the bounds that are said, and never without leave", async (_, early, since) => {
    const name = freshName();
    await create({ name, subjects: ["$T.>"] });
    await publish("$T.a", early);
    await sleep(6_000);
    await publish("$T.a", since);
    // Far from both, so that a machine with other work to do gets no other answer.
    const { effects, gone } = await shorten(name, 4_000);
    expect(gone.messages).toBe(early);
    expect(lost(effects)).toBe(early + since - 1);
    expectWithin(effects, gone);
  });

  test("max_age is judged by the clock of the server: a list says it", async () => {
    const { streams = [] } = (await request(connection(), "STREAM.LIST")) as { streams?: readonly StreamInfo[] };
    expect(streams.length).toBeGreaterThan(0);
    for (const { ts } of streams) expect(Math.abs(Date.parse(String(ts)) - Date.now())).toBeLessThan(60_000);
  });

  test("max_bytes, of one large message behind many small ones: within the bounds that are said", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    await create(named);
    await publish("$T.a", 30);
    await publish("$T.a", 1, 20_000);
    const { effects, gone } = await judge({ ...named, max_bytes: 21_000 });
    // By their size on average it would be five.
    expect(gone.messages).toBeGreaterThan(15);
    expectWithin(effects, gone);
  });

  test("max_msgs_per_subject, where subjects are not counted: never less than what goes of an uneven stream", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    const limited = (max_msgs_per_subject: number) => change({ ...named, max_msgs_per_subject });
    await create(named);
    for (const subject of ["$T.a", "$T.b", "$T.c"]) await publish(subject, 4);
    const { messages, bytes } = await state(connection(), name);
    expectForetold(await predicted(await limited(2), false), { messages: 6, bytes: (6 * bytes) / messages });
    await publish("$T.a", 10);
    // 14, 4 and 4 messages.
    const foretold = await predicted(await limited(9), false);
    expect(foretold).toMatchObject([{ kind: "loses", least: 0 }]);
    expectWithin(foretold, { messages: 5, bytes: 0 });
    expect(await predicted(await limited(90), false)).toEqual([]);
  });

  test("a consumer with another filter on an interest stream gives up what nobody else wants", async () => {
    const name = freshName();
    await create({ name, subjects: ["$T.>"], retention: "interest" });
    const worker = { name: "w", durable_name: "w", ack_policy: "explicit" };
    await ok(createConsumer(connection(), name, { ...worker, filter_subjects: ["$T.a", "$T.b"] }));
    for (const [subject, count] of [
      ["$T.a", 7],
      ["$T.b", 5],
    ] as const)
      await publish(subject, count);
    // What a consumer has before it is counted a moment after it was stored.
    const pending = async () => (await (await connection().jetstreamManager()).consumers.info(name, "w")).num_pending;
    await expect.poll(pending, { timeout: 30_000 }).toBe(12);
    const narrowed = { ...worker, filter_subjects: ["$T.b"] };
    const effects = await predicted(await consumerUpdate(connection(), name, narrowed));
    await ok(createConsumer(connection(), name, narrowed, "update"));
    expect(await settled(connection(), name, 5)).toBe(5);
    expect(effects).toMatchObject([
      { kind: "loses", about: true },
      { kind: "breaks", says: `"$T.a" is no longer delivered: unnamed (reads ${name}/w)` },
    ]);
    expect(lost(effects)).toBeGreaterThanOrEqual(7);
  });
}
