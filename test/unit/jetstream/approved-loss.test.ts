import { expect, test } from "vitest";
import { beyondApproval, type Taken } from "../../../src/jetstream/approved-loss.ts";

const taken = (messages: number, lastSequence: number, bytes = messages * 100): Taken => ({
  messages,
  bytes,
  lastSequence,
});

test.each<[string, Taken, Taken]>([
  ["what was approved", taken(1_000, 5_000), taken(1_000, 5_000)],
  ["less", taken(1_000, 5_000), taken(3, 5_000)],
  ["a tenth more, though nothing was published", taken(1_000, 5_000), taken(1_100, 5_000)],
  ["as much more as was published since", taken(1_000, 5_000), taken(1_800, 5_700)],
  ["nothing, as before", taken(0, 5_000), taken(0, 9_000_000)],
])("holds for %s", (_, approved, now) => {
  expect(beyondApproval(approved, now)).toBeUndefined();
});

test.each<[string, Taken, Taken, string]>([
  [
    "more than a tenth, where nothing was published",
    taken(1_000, 5_000),
    taken(1_101, 5_000),
    "it would take 1101 messages, 107.5 KiB, and 1000 messages, 97.7 KiB were approved",
  ],
  [
    "ten million instead of ten, whatever was published",
    taken(10, 100),
    taken(10_000_000, 20_000_000),
    "it would take 10000000 messages, 953.7 MiB, and 10 messages, 1000 B were approved",
  ],
  [
    "as many messages of twice the size and more",
    taken(1_000, 5_000),
    taken(1_000, 6_000, 200_001),
    "it would take 1000 messages, 195.3 KiB, and 1000 messages, 97.7 KiB were approved",
  ],
  [
    "any, where nobody approved a loss",
    taken(0, 5_000),
    taken(1, 5_001),
    "it would take 1 message, 100 B, and none were approved",
  ],
  [
    "a stream that was purged and is filled anew",
    taken(1, 5_000),
    taken(3, 4_000),
    "it would take 3 messages, 300 B, and 1 message, 100 B was approved",
  ],
])("ends with %s", (_, approved, now, why) => {
  expect(beyondApproval(approved, now)).toBe(why);
});
