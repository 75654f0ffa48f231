/** What we say of sources that change, against what comes and what is pushed out. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import type { EffectBench } from "./jetstream-effect-bench.ts";
import { lost, settled, state, stored, subjects } from "./jetstream-effects.ts";
import { freshName } from "./jetstream-round-trip.ts";

export function sourceEffectSuite({ connection, create, update, change, predicted, publish }: EffectBench): void {
  test("a source with another filter comes again, one that only starts elsewhere does not", async () => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>"] });
    for (const subject of ["$O.a", "$O.b"]) await publish(subject, 20);
    const sink = (...sources: readonly object[]) => ({ name, sources });
    await create(sink({ name: origin, filter_subject: "$O.a" }));
    expect(await settled(connection(), name, 20)).toBe(20);

    const start = sink({ name: origin, filter_subject: "$O.a", opt_start_seq: 3 });
    expect(await predicted(await change(start))).toMatchObject([{ kind: "says" }]);
    await update(start);
    await sleep(500);
    expect(await stored(connection(), name)).toBe(20);

    const wider = sink({ name: origin, filter_subject: "$O.>" });
    expect(await predicted(await change(wider))).toMatchObject([
      { kind: "says", ...(await state(connection(), origin)), says: expect.stringContaining("comes twice") },
    ]);
    await update(wider);
    expect(await settled(connection(), name, 60)).toBe(60);

    const none = { name, subjects: ["$T.>"] };
    expect(await predicted(await change(none))).toMatchObject([
      { kind: "says", says: expect.stringContaining("no longer copied") },
    ]);
    await update(none);
    expect(await stored(connection(), name)).toBe(60);
  });

  test.each<[string, WireConfig, number]>([
    ["the oldest", { max_msgs: 30 }, 20],
    ["the oldest, by their bytes", { max_bytes: 4_000 }, 20],
    ["nothing where it discards new messages: the copy waits", { max_msgs: 30, discard: "new" }, 0],
  ])("a source that comes again pushes out of a full sink %s", async (_, limits, expected) => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>", "$P.>"] });
    const sink = { name, subjects: ["$T.>"], ...limits };
    await create({ ...sink, sources: [{ name: origin, filter_subject: "$P.a" }] });
    await publish("$T.own", 20);
    for (const subject of ["$O.a", "$O.b"]) await publish(subject, 20);
    const wider = { ...sink, sources: [{ name: origin, filter_subject: "$O.>" }] };
    const effects = await predicted(await change(wider));
    await update(wider);
    const own = async () => (await subjects(connection(), name))["$T.own"] ?? 0;
    // All of these are older than what is copied now: of the forty that come, ten fill it.
    for (let attempt = 0; attempt < 100 && (await own()) > 20 - expected; attempt++) await sleep(100);
    if (expected === 0) expect(await settled(connection(), name, 30)).toBe(30);
    expect(await own()).toBe(20 - expected);
    expect(lost(effects)).toBe(expected);
    expect(effects.some(({ says }) => says.includes("no room"))).toBe(expected === 0);
  });

  test("a source that brings no more than there is room for is counted by its filter, and loses nothing", async () => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>"] });
    const sink = { name, subjects: ["$T.>"], max_msgs: 30 };
    await create(sink);
    await publish("$T.own", 20);
    for (const [subject, count] of [
      ["$O.a", 40],
      ["$O.b", 5],
    ] as const)
      await publish(subject, count);
    const fed = { ...sink, sources: [{ name: origin, filter_subject: "$O.b" }] };
    const effects = await predicted(await change(fed));
    expect(effects).toContainEqual(expect.objectContaining({ kind: "says", messages: 5 }));
    expect(lost(effects)).toBe(0);
    await update(fed);
    expect(await settled(connection(), name, 25)).toBe(25);
  });

  const full = (name: string) => ({ name, max_msgs: 5, discard: "new" });
  const broken = async (name: string) => {
    const alone = await change({ ...full(name), subjects: ["$T.>"] });
    return { alone, effects: (await predicted(alone)).filter(({ kind }) => kind === "breaks") };
  };

  test("of a source that is removed, what was never copied is counted", async () => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>"] });
    await create({ ...full(name), sources: [{ name: origin }] });
    expect(await settled(connection(), name, 0)).toBe(0);
    await publish("$O.a", 20);
    expect(await settled(connection(), name, 5)).toBe(5);
    // As the origin last said: of those that it has delivered and the full stream did not take, it counts none.
    const foretold = async () =>
      (await broken(name)).effects.map(({ messages = 0, about }) => [about, messages > 0 && messages <= 15]);
    await expect.poll(foretold, { timeout: 30_000 }).toEqual([[true, true]]);
    const { alone, effects } = await broken(name);
    expect(effects[0]?.says).toMatch(/^about \d+ messages?, .* (was|were) not copied from .* yet, and never (is|are)$/);
    await update(alone.config);
    await sleep(500);
    expect(await stored(connection(), name)).toBe(5);
  });

  test("of a mirror that is promoted, what was never copied is counted", async () => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>"] });
    await create({ ...full(name), mirror: { name: origin } });
    expect(await settled(connection(), name, 0)).toBe(0);
    await publish("$O.a", 20);
    // One without replicas takes five. One with replicas takes what it is given, whatever its limit (2.12 to 2.15).
    await expect.poll(async () => (await stored(connection(), name)) >= 5, { timeout: 30_000 }).toBe(true);
    await sleep(1_000);
    const missing = 20 - (await stored(connection(), name));
    const { alone, effects } = await broken(name);
    expect(effects.map(({ messages }) => messages)).toEqual(missing === 0 ? [] : [missing]);
    await update(alone.config);
    await sleep(500);
    expect(await stored(connection(), name)).toBe(20 - missing);
  });

  test.each<[string, WireConfig]>([
    ["a source that is removed", { sources: [{ name: "unheard-of" }] }],
    ["a mirror that is promoted", { mirror: { name: "unheard-of" } }],
  ])("of %s and was never heard of, nobody knows what was never copied", async (_, from) => {
    const name = freshName();
    await create({ name, ...from });
    const alone = await change({ name, subjects: ["$T.>"] });
    expect((await predicted(alone)).filter(({ kind }) => kind === "breaks")).toMatchObject([
      { says: "unheard-of was not heard of: what was not copied from it yet, nobody knows, and it never is" },
    ]);
  });

  test("a promoted mirror keeps what it has and is no mirror again", async () => {
    const [name, origin] = [freshName(), freshName()];
    await create({ name: origin, subjects: ["$O.>"] });
    await publish("$O.a", 20);
    await create({ name, mirror: { name: origin } });
    expect(await settled(connection(), name, 20)).toBe(20);
    const promoted = await change({ name, subjects: ["$T.>"] });
    expect(await predicted(promoted)).toMatchObject([{ kind: "irreversible" }]);
    await update(promoted.config);
    expect(await stored(connection(), name)).toBe(20);
  });
}
