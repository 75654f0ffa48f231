import { describe, expect, test } from "vitest";
import type { StreamInfo, StreamState } from "../../../src/jetstream/api.ts";
import { beyondApproval, type Taken, takenBy } from "../../../src/jetstream/approved-loss.ts";
import type { WireConfig } from "../../../src/jetstream/desired.ts";
import { type Change, compare } from "../../../src/jetstream/diff.ts";
import { effectsOf } from "../../../src/jetstream/effects.ts";
import type { Measured } from "../../../src/jetstream/measure.ts";
import { formatAmount } from "../../../src/units.ts";
import { realModel } from "../../support/definitions.ts";
import { observedWith } from "../../support/observed.ts";

const DAY = 86_400e9;
const NOW = Date.parse("2026-06-01T00:00:00Z") * 1e6;
const daysAgo = (days: number): string => new Date(NOW / 1e6 - (days * DAY) / 1e6).toISOString();
const model = realModel("local");

/** What an update of these fields does to a stream in this state. */
function update(state: StreamState, before: WireConfig, after: WireConfig, measured: Measured = {}, ts?: string) {
  const info: StreamInfo = { config: { name: "orders", ...before }, state, created: "", ...(ts ? { ts } : {}) };
  const change: Change = {
    kind: "stream",
    name: "orders",
    stream: "orders",
    action: "update",
    config: { name: "orders", ...after },
    fields: compare(before, after),
    live: { kind: "stream", info },
  };
  const version = { major: 2, minor: 14, patch: 9 };
  const effects = effectsOf(change, observedWith([info]), model, version, NOW, measured);
  return { effects, taken: takenBy({ change, effects }) };
}
const state = (messages: number, oldest: number, newest: number, more: Partial<StreamState> = {}): StreamState => ({
  messages,
  bytes: messages * 100,
  first_seq: 1,
  last_seq: messages,
  first_ts: daysAgo(oldest),
  last_ts: daysAgo(newest),
  ...more,
});
const said = ({ effects }: ReturnType<typeof update>): string[] =>
  effects
    .filter(({ kind }) => kind === "loses")
    .map(({ says, messages = 0, bytes = 0, ...rest }) => `${formatAmount({ messages, bytes, ...rest })}: ${says}`);

describe("a shorter max_age", () => {
  const shorten = (days: number, stored: StreamState, ts?: string) =>
    said(update(stored, { max_age: 90 * DAY }, { max_age: days * DAY }, {}, ts));

  test.each<[string, StreamState, number, string[]]>([
    ["nothing where the first message is younger", state(10, 58, 0), 59, []],
    [
      "one at least where the first of few is just older",
      state(10, 60, 0),
      59,
      ["1 to 9 messages (about 1 if evenly spread), at most 1000 B: messages older than 59d go at once"],
    ],
    [
      "up to all but the newest, which a burst long ago would be",
      state(1_000_000, 8, 0),
      7,
      ["1 to 999999 messages (about 125000 if evenly spread), at most 95.4 MiB: messages older than 7d go at once"],
    ],
    ["one of two", state(2, 60, 0), 59, ["1 message, about 100 B: messages older than 59d go at once"]],
    [
      "all where the last is older too",
      state(10, 90, 60),
      59,
      ["10 messages, 1000 B: messages older than 59d go at once"],
    ],
    [
      "up to all where messages are missing: the time of the last may be that of one that was deleted",
      state(10, 60, 0, { last_seq: 50 }),
      59,
      ["1 to 10 messages (about 1 if evenly spread), at most 1000 B: messages older than 59d go at once"],
    ],
    ["nothing of an empty stream", { messages: 0, bytes: 0, first_seq: 1, last_seq: 0 }, 1, []],
  ])("deletes %s", (_, stored, days, expected) => {
    expect(shorten(days, stored)).toEqual(expected);
  });

  test("is measured by the clock of the server, not by that of whoever plans", () => {
    const stored = state(2, 60, 0);
    expect(shorten(61, stored, daysAgo(0))).toEqual([]);
    expect(shorten(61, stored, daysAgo(-2))).toHaveLength(1);
  });

  test("is approved by its upper bound: no burst takes more than that", () => {
    const planned = update(state(1_000, 8, 0), { max_age: 90 * DAY }, { max_age: 7 * DAY }).taken;
    expect(planned).toEqual<Taken>({ messages: 999, bytes: 100_000, lastSequence: 1_000 });
    const burst: Taken = { messages: 999, bytes: 99_900, lastSequence: 1_000 };
    expect(beyondApproval(planned, burst)).toBeUndefined();
  });
});

describe("a lower max_bytes", () => {
  const shrink = (bytes: number, stored: StreamState, discard = "old") =>
    update(stored, { discard }, { discard, max_bytes: bytes });

  test("deletes that much, in any number of messages: the oldest may be the smallest", () => {
    expect(said(shrink(250, state(10, 1, 0)))).toEqual([
      "1 to 10 messages (about 8 if evenly spread), about 750 B: the oldest messages go at once",
    ]);
    expect(said(shrink(999, state(10, 1, 0)))).toEqual([
      "1 to 10 messages (about 1 if evenly spread), about 1 B: the oldest messages go at once",
    ]);
    expect(said(shrink(1_000, state(10, 1, 0)))).toEqual([]);
  });

  test("deletes nothing with discard new, and stops publishers instead", () => {
    expect(shrink(250, state(10, 1, 0), "new").effects).toMatchObject([{ kind: "breaks" }]);
  });
});

test("discard old over both limits deletes what the tighter one takes", () => {
  const limits = { max_msgs: 4, max_bytes: 900 };
  expect(said(update(state(10, 1, 0), { discard: "new", ...limits }, { discard: "old", ...limits }))).toEqual([
    "6 to 10 messages (about 6 if evenly spread), about 600 B: the oldest messages go at once",
  ]);
});

describe("a lower max_msgs_per_subject", () => {
  const shrink = (limit: number, subjects: number, measured: Measured = {}) =>
    said(
      update(
        state(22, 1, 0, { num_subjects: subjects }),
        { max_msgs_per_subject: 50 },
        { max_msgs_per_subject: limit },
        measured,
      ),
    );

  test("is counted where subjects were asked for", () => {
    expect(shrink(4, 3, { perSubject: { a: 20, b: 1, c: 1 } })).toEqual([
      "16 messages, about 1.6 KiB: the oldest of each subject go at once",
    ]);
  });

  test("is told in bounds where they were not: one subject may have nearly all", () => {
    expect(shrink(4, 3)).toEqual(["10 to 16 messages, at most 2.1 KiB: the oldest of each subject go at once"]);
    expect(shrink(9, 3)).toEqual(["0 to 11 messages, at most 2.1 KiB: the oldest of each subject go at once"]);
    expect(shrink(22, 3)).toEqual([]);
  });
});
