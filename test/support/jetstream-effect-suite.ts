/** What we say an update deletes, against what is gone after it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import type { WireConfig } from "../../src/jetstream/desired.ts";
import type { Change } from "../../src/jetstream/diff.ts";
import type { Effect } from "../../src/jetstream/effect.ts";
import { effectsOf } from "../../src/jetstream/effects.ts";
import { measure } from "../../src/jetstream/measure.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { parseVersion } from "../../src/model/version.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { consumerUpdate, streamUpdate } from "./jetstream-changes.ts";
import { LOSSES } from "./jetstream-losses.ts";
import { createConsumer, titled } from "./jetstream-refusal-suite.ts";
import { freshName } from "./jetstream-round-trip.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

const LASTING = "lasting";
const model = realModel("local");

/** What a stream holds, and what that takes. */
export interface Stored {
  readonly messages: number;
  readonly bytes: number;
}

export async function state(connection: NatsConnection, stream: string): Promise<Stored> {
  const info = (await request(connection, `STREAM.INFO.${stream}`)) as { state?: Stored };
  const { messages = Number.NaN, bytes = Number.NaN } = info.state ?? {};
  return { messages, bytes };
}

/** Messages by subject. */
export async function subjects(connection: NatsConnection, stream: string): Promise<Readonly<Record<string, number>>> {
  const info = await request(connection, `STREAM.INFO.${stream}`, { subjects_filter: ">" });
  return (info as { state?: { subjects?: Readonly<Record<string, number>> } }).state?.subjects ?? {};
}

/** Messages that are stored; a sink gets its own a moment later. */
export const stored = async (connection: NatsConnection, stream: string): Promise<number> =>
  (await state(connection, stream)).messages;

export async function settled(connection: NatsConnection, stream: string, count: number): Promise<number> {
  for (let attempt = 0; attempt < 50 && (await stored(connection, stream)) !== count; attempt++) await sleep(100);
  return stored(connection, stream);
}

/** What we say about `change` now, as a plan does: from LIST, not from INFO. */
export async function predicted(cluster: Cluster, change: Change, counted = true): Promise<Effect[]> {
  await using reader = await openReader(cluster.target());
  const observed = await observe(reader, [change.stream]);
  const live = observed.streams.find(({ name }) => name === change.stream);
  const listed =
    change.kind === "stream" && live?.status === "known"
      ? { ...change, live: { kind: "stream" as const, info: live.info } }
      : change;
  const version = parseVersion(reader.server.version) ?? { major: 0, minor: 0, patch: 0 };
  const measured = counted ? await measure(listed as Change, reader) : {};
  return effectsOf(listed as Change, observed, model, version, Date.now() * 1e6, measured);
}

export const lost = (effects: readonly Effect[]): number =>
  effects.reduce((sum, { kind, messages = 0 }) => sum + (kind === "loses" ? messages : 0), 0);
const lostBytes = (effects: readonly Effect[]): number =>
  effects.reduce((sum, { kind, bytes = 0 }) => sum + (kind === "loses" ? bytes : 0), 0);

/** What `before` has more than `after`. */
export const difference = (before: Stored, after: Stored): Stored => ({
  messages: before.messages - after.messages,
  bytes: before.bytes - after.bytes,
});

/** Exact, or within a tenth or two messages where the effect says "about"; where it says bounds, between them and as near to the even spread. */
export function expectForetold(effects: readonly Effect[], gone: Stored): void {
  const text = `${JSON.stringify(effects)}, but ${JSON.stringify(gone)} are gone`;
  const losses = effects.filter(({ kind }) => kind === "loses");
  if (losses.some(({ least }) => least !== undefined)) expectWithin(effects, gone);
  const near = (estimate: boolean, count: number, two: number) => (estimate ? Math.max(two, count / 10) : 0);
  const told = losses.reduce((sum, { messages = 0, even = messages }) => sum + even, 0);
  const messages = near(
    losses.some(({ about, least }) => about === true || least !== undefined),
    gone.messages,
    2,
  );
  expect(Math.abs(told - gone.messages), text).toBeLessThanOrEqual(messages);
  // The upper bound of the bytes is that of all that is there.
  if (losses.some(({ least, bytesAbout }) => least !== undefined && !bytesAbout)) return;
  const estimate = losses.some(({ about, bytesAbout }) => about === true || bytesAbout === true);
  const two = (2 * gone.bytes) / Math.max(1, gone.messages);
  expect(Math.abs(lostBytes(effects) - gone.bytes), text).toBeLessThanOrEqual(near(estimate, gone.bytes, two));
}

/** Between the bounds that are said; a loss without a lower one counts as it is. */
export function expectWithin(effects: readonly Effect[], gone: Stored): void {
  const losses = effects.filter(({ kind }) => kind === "loses");
  const least = losses.map(({ messages = 0, least = messages }) => least);
  expect(gone.messages, JSON.stringify(effects)).toBeGreaterThanOrEqual(Math.max(0, ...least));
  expect(gone.messages, JSON.stringify(effects)).toBeLessThanOrEqual(lost(effects));
}

/** Never less than what goes: neither messages nor bytes. */
function expectAtLeast(effects: readonly Effect[], gone: Stored): void {
  expect(lost(effects), JSON.stringify(effects)).toBeGreaterThanOrEqual(gone.messages);
  expect(lostBytes(effects), JSON.stringify(effects)).toBeGreaterThanOrEqual(gone.bytes);
}

export function effectSuite(server: string): void {
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(model, { binary: tool(server) });
    connection = await cluster.connect();
    // With the last stream of an account the server removes their folder, and a create at that moment fails (10049).
    await ok(request(connection, `STREAM.CREATE.${LASTING}`, { name: LASTING }));
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    const { streams } = (await request(connection, "STREAM.NAMES")) as { streams?: readonly string[] | null };
    for (const name of (streams ?? []).filter((other) => other !== LASTING))
      await request(connection, `STREAM.DELETE.${name}`);
  });
  const ok = async (reply: ReturnType<typeof request>) => expect((await reply).error?.description).toBeUndefined();
  const publish = async (subject: string, count: number) => {
    for (let i = 0; i < count; i++) await connection.jetstream().publish(subject, Buffer.alloc(100));
  };
  const acknowledge = async (name: string, config: WireConfig, count: number) => {
    const consumer = await connection.jetstream().consumers.get(name, String(config.name));
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
      await ok(request(connection, `STREAM.CREATE.${name}`, { ...named, ...before }));
      if (before.retention === "interest")
        for (const { config } of consumers) await ok(createConsumer(connection, name, config));
      for (const [subject, count] of Object.entries(load ?? { "$T.a": 40 })) await publish(subject, count);
      if (meanwhile) await ok(request(connection, `STREAM.UPDATE.${name}`, { ...named, ...meanwhile }));
      for (const { config, acknowledges } of consumers) {
        if (before.retention !== "interest") await ok(createConsumer(connection, name, config));
        await acknowledge(name, config, acknowledges);
      }
      const had = await state(connection, name);
      const effects = await predicted(cluster, await streamUpdate(connection, { ...named, ...after }));
      await ok(request(connection, `STREAM.UPDATE.${name}`, { ...named, ...after }));
      const gone = difference(had, await state(connection, name));
      if (kinds) expect([...new Set(effects.map(({ kind }) => kind))]).toEqual(kinds);
      if (atMost) expectAtLeast(effects, gone);
      else expectForetold(effects, gone);
    },
  );

  /** Shortens the age of what is there, and says what was foretold and what is gone. */
  const shorten = async (name: string, milliseconds: number) => {
    const had = await state(connection, name);
    const config = { name, subjects: ["$T.>"], max_age: milliseconds * 1e6, duplicate_window: 1e8 };
    const effects = await predicted(cluster, await streamUpdate(connection, config));
    await ok(request(connection, `STREAM.UPDATE.${name}`, config));
    return { effects, gone: difference(had, await state(connection, name)) };
  };

  test("max_age, of messages that came evenly, all too early, or all late enough", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    await ok(request(connection, `STREAM.CREATE.${name}`, named));
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
    await ok(request(connection, `STREAM.UPDATE.${name}`, named));
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
    await ok(request(connection, `STREAM.CREATE.${name}`, { name, subjects: ["$T.>"] }));
    await publish("$T.a", early);
    await sleep(6_000);
    await publish("$T.a", since);
    // Far from both, so that a machine with other work to do gets no other answer.
    const { effects, gone } = await shorten(name, 4_000);
    expect(gone.messages).toBe(early);
    expect(lost(effects)).toBe(early + since - 1);
    expectWithin(effects, gone);
  });

  test("max_bytes, of one large message behind many small ones: within the bounds that are said", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    await ok(request(connection, `STREAM.CREATE.${name}`, named));
    await publish("$T.a", 30);
    await connection.jetstream().publish("$T.a", Buffer.alloc(20_000));
    const had = await state(connection, name);
    const config = { ...named, max_bytes: 21_000 };
    const effects = await predicted(cluster, await streamUpdate(connection, config));
    await ok(request(connection, `STREAM.UPDATE.${name}`, config));
    const gone = difference(had, await state(connection, name));
    // By their size on average it would be five.
    expect(gone.messages).toBeGreaterThan(15);
    expectWithin(effects, gone);
  });

  test("max_msgs_per_subject, where subjects are not counted: never less than what goes of an uneven stream", async () => {
    const name = freshName();
    const named = { name, subjects: ["$T.>"] };
    const change = async (max_msgs_per_subject: number) => streamUpdate(connection, { ...named, max_msgs_per_subject });
    await ok(request(connection, `STREAM.CREATE.${name}`, named));
    for (const subject of ["$T.a", "$T.b", "$T.c"]) await publish(subject, 4);
    const { messages, bytes } = await state(connection, name);
    expectForetold(await predicted(cluster, await change(2), false), { messages: 6, bytes: (6 * bytes) / messages });
    await publish("$T.a", 10);
    // 14, 4 and 4 messages.
    const foretold = await predicted(cluster, await change(9), false);
    expect(foretold).toMatchObject([{ kind: "loses", least: 0 }]);
    expectWithin(foretold, { messages: 5, bytes: 0 });
    expect(await predicted(cluster, await change(90), false)).toEqual([]);
  });

  test("a source with another filter comes again, one that only starts elsewhere does not", async () => {
    const [name, origin] = [freshName(), freshName()];
    await ok(request(connection, `STREAM.CREATE.${origin}`, { name: origin, subjects: ["$O.>"] }));
    for (const subject of ["$O.a", "$O.b"]) await publish(subject, 20);
    const sink = (...sources: readonly object[]) => ({ name, sources });
    await ok(request(connection, `STREAM.CREATE.${name}`, sink({ name: origin, filter_subject: "$O.a" })));
    expect(await settled(connection, name, 20)).toBe(20);

    const start = sink({ name: origin, filter_subject: "$O.a", opt_start_seq: 3 });
    expect(await predicted(cluster, await streamUpdate(connection, start))).toMatchObject([{ kind: "says" }]);
    await ok(request(connection, `STREAM.UPDATE.${name}`, start));
    await sleep(500);
    expect(await stored(connection, name)).toBe(20);

    const wider = sink({ name: origin, filter_subject: "$O.>" });
    expect(await predicted(cluster, await streamUpdate(connection, wider))).toMatchObject([
      { kind: "says", ...(await state(connection, origin)), says: expect.stringContaining("comes twice") },
    ]);
    await ok(request(connection, `STREAM.UPDATE.${name}`, wider));
    expect(await settled(connection, name, 60)).toBe(60);

    const none = { name, subjects: ["$T.>"] };
    expect(await predicted(cluster, await streamUpdate(connection, none))).toMatchObject([
      { kind: "says", says: expect.stringContaining("no longer copied") },
    ]);
    await ok(request(connection, `STREAM.UPDATE.${name}`, none));
    expect(await stored(connection, name)).toBe(60);
  });

  test.each<[string, WireConfig, number]>([
    ["the oldest", { max_msgs: 30 }, 30],
    ["the oldest, by their bytes", { max_bytes: 4_000 }, Number.NaN],
    ["nothing of one that discards new messages: the copy waits", { max_msgs: 30, discard: "new" }, 30],
  ])("a source that comes again pushes out of a full sink %s", async (_, limits, count) => {
    const [name, origin] = [freshName(), freshName()];
    await ok(request(connection, `STREAM.CREATE.${origin}`, { name: origin, subjects: ["$O.>", "$P.>"] }));
    const sink = { name, subjects: ["$T.>"], ...limits };
    const narrow = { ...sink, sources: [{ name: origin, filter_subject: "$P.a" }] };
    await ok(request(connection, `STREAM.CREATE.${name}`, narrow));
    await publish("$T.own", 20);
    for (const subject of ["$O.a", "$O.b"]) await publish(subject, 20);
    const wider = { ...sink, sources: [{ name: origin, filter_subject: "$O.>" }] };
    const effects = await predicted(cluster, await streamUpdate(connection, wider));
    await ok(request(connection, `STREAM.UPDATE.${name}`, wider));
    const discards = limits.discard !== "new";
    const own = async () => Object.entries(await subjects(connection, name)).find(([subject]) => subject === "$T.own");
    const left = async () => (await own())?.[1] ?? 0;
    // All own messages are older than what is copied now: with 40 new ones none stays.
    for (let attempt = 0; attempt < 50 && (await left()) > 0 && discards; attempt++) await sleep(100);
    if (!discards) expect(await settled(connection, name, count)).toBe(count);
    const gone = 20 - (await left());
    expect(gone).toBe(discards ? 20 : 0);
    expect(lost(effects)).toBe(gone);
    expect(effects.some(({ says }) => says.includes("no room"))).toBe(!discards);
  });

  test("a promoted mirror keeps what it has and is no mirror again", async () => {
    const [name, origin] = [freshName(), freshName()];
    await ok(request(connection, `STREAM.CREATE.${origin}`, { name: origin, subjects: ["$O.>"] }));
    await publish("$O.a", 20);
    await ok(request(connection, `STREAM.CREATE.${name}`, { name, mirror: { name: origin } }));
    expect(await settled(connection, name, 20)).toBe(20);
    const promoted = await streamUpdate(connection, { name, subjects: ["$T.>"] });
    expect(await predicted(cluster, promoted)).toMatchObject([{ kind: "irreversible" }]);
    await ok(request(connection, `STREAM.UPDATE.${name}`, promoted.config));
    expect(await stored(connection, name)).toBe(20);
  });

  test("a consumer with another filter on an interest stream gives up what nobody else wants", async () => {
    const name = freshName();
    await ok(request(connection, `STREAM.CREATE.${name}`, { name, subjects: ["$T.>"], retention: "interest" }));
    const worker = { name: "w", durable_name: "w", ack_policy: "explicit" };
    await ok(createConsumer(connection, name, { ...worker, filter_subjects: ["$T.a", "$T.b"] }));
    for (const [subject, count] of [
      ["$T.a", 7],
      ["$T.b", 5],
    ] as const)
      await publish(subject, count);
    const narrowed = { ...worker, filter_subjects: ["$T.b"] };
    const effects = await predicted(cluster, await consumerUpdate(connection, name, narrowed));
    await ok(createConsumer(connection, name, narrowed, "update"));
    expect(await settled(connection, name, 5)).toBe(5);
    expect(effects).toMatchObject([
      { kind: "loses", about: true },
      { kind: "breaks", says: `"$T.a" is no longer delivered: unnamed (reads ${name}/w)` },
    ]);
    expect(lost(effects)).toBeGreaterThanOrEqual(7);
  });
}
