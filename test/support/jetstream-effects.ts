/** What streams hold, what we say an update takes from them, and how the two are compared. */
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { expect } from "vitest";
import { openReader } from "../../src/connect/nats.ts";
import type { Change } from "../../src/jetstream/diff.ts";
import type { Effect } from "../../src/jetstream/effect.ts";
import { effectsOf } from "../../src/jetstream/effects.ts";
import { measure } from "../../src/jetstream/measure.ts";
import { observe } from "../../src/jetstream/observe.ts";
import { parseVersion } from "../../src/model/version.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import type { Cluster } from "./nats-server.ts";

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
  for (let attempt = 0; attempt < 300 && (await stored(connection, stream)) !== count; attempt++) await sleep(100);
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
  const measured = counted ? await measure(listed as Change, reader, observed) : {};
  return effectsOf(listed as Change, observed, model, version, Date.now() * 1e6, measured);
}

export const lost = (effects: readonly Effect[]): number =>
  effects.reduce((sum, { kind, messages = 0 }) => sum + (kind === "loses" ? messages : 0), 0);
export const lostBytes = (effects: readonly Effect[]): number =>
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
export function expectAtLeast(effects: readonly Effect[], gone: Stored): void {
  expect(lost(effects), JSON.stringify(effects)).toBeGreaterThanOrEqual(gone.messages);
  expect(lostBytes(effects), JSON.stringify(effects)).toBeGreaterThanOrEqual(gone.bytes);
}
