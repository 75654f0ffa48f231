import { expect, test } from "vitest";
import type { StreamInfo } from "../../../src/jetstream/api.ts";
import type { WireConfig } from "../../../src/jetstream/desired.ts";
import type { Change } from "../../../src/jetstream/diff.ts";
import { effectsOf } from "../../../src/jetstream/effects.ts";
import type { Measured } from "../../../src/jetstream/measure.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";
import { formatAmount } from "../../../src/units.ts";
import { realModel } from "../../support/definitions.ts";
import { observedWith } from "../../support/observed.ts";

const stream = (name: string, messages: number, config: WireConfig = {}): StreamInfo => ({
  config: { name, ...config },
  state: { messages, bytes: messages * 100, first_seq: 1, last_seq: messages },
  created: "",
});
const [before, after] = [[{ name: "iot", filter_subject: "iot.a" }], [{ name: "iot", filter_subject: "iot.>" }]];
const iot = stream("iot", 40);

/** What a wider filter loses in a sink with these limits, which has 20 messages. */
function widen(
  limits: WireConfig,
  observed: (sink: StreamInfo) => Observed,
  measured: Measured = {},
  to: unknown = after,
) {
  const sink = stream("sink", 20, limits);
  const change: Change = {
    kind: "stream",
    name: "sink",
    stream: "sink",
    action: "update",
    config: { name: "sink", sources: to, ...limits },
    fields: [{ field: "sources", from: before, to }],
    live: { kind: "stream", info: sink },
  };
  const version = { major: 2, minor: 14, patch: 9 };
  return effectsOf(change, observed(sink), realModel("local"), version, 0, measured)
    .filter(({ kind, says }) => kind === "loses" || says.includes("no room"))
    .map(
      ({ kind, messages = 0, bytes = 0, says, ...rest }) =>
        `${kind} ${formatAmount({ messages, bytes, ...rest })}: ${says}`,
    );
}
const both = (sink: StreamInfo) => observedWith([iot, sink]);
const PUSHED = "pushed out, soon after the update, by what is copied from its first message";

test("a sink with room for all that is copied again loses nothing", () => {
  expect(widen({}, both)).toEqual([]);
  expect(widen({ max_msgs: 60, max_bytes: 6_000 }, both)).toEqual([]);
});

test("a full one may lose what it has, by its tightest limit", () => {
  expect(widen({ max_msgs: 50 }, both)).toEqual([`loses 0 to 10 messages, at most 2 KiB: ${PUSHED}`]);
  expect(widen({ max_msgs: 20 }, both)).toEqual([`loses 0 to 20 messages, at most 2 KiB: ${PUSHED}`]);
  expect(widen({ max_msgs: 50, max_bytes: 5_900 }, both)).toEqual([`loses 0 to 20 messages, at most 2 KiB: ${PUSHED}`]);
  expect(widen({ max_msgs_per_subject: 5 }, both)).toEqual([`loses 0 to 20 messages, at most 2 KiB: ${PUSHED}`]);
});

test("only what the filter matches comes, where it was counted", () => {
  expect(widen({ max_msgs: 50 }, both, { incoming: [30] })).toEqual([]);
  expect(widen({ max_msgs: 50 }, both, { incoming: [35] })).toEqual([
    `loses 0 to 5 messages, at most 2 KiB: ${PUSHED}`,
  ]);
});

test("with discard new the copy waits, and nothing is lost", () => {
  expect(widen({ max_msgs: 50, discard: "new" }, both)).toEqual([
    "says 0 messages, 0 B: what is copied has no room here, and waits until there is some",
  ]);
});

test("an origin that is not there brings nothing, one that cannot be asked may bring anything", () => {
  const alone = (sink: StreamInfo) => observedWith([sink]);
  expect(widen({ max_msgs: 20 }, alone)).toEqual([]);
  const all = [`loses 0 to 20 messages, at most 2 KiB: ${PUSHED}`];
  const hidden = (sink: StreamInfo): Observed => {
    const observed = alone(sink);
    return { ...observed, streams: [...observed.streams, { name: "iot", status: "unknown", why: "it has no leader" }] };
  };
  expect(widen({ max_msgs: 1_000_000 }, hidden)).toEqual(all);
  const elsewhere = [{ name: "iot", external: { api: "$JS.HUB.API" } }];
  expect(widen({ max_msgs: 1_000_000 }, alone, {}, elsewhere)).toEqual(all);
});
