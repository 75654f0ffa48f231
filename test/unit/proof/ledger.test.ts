import { expect, test } from "vitest";
import { openLedger } from "../../../src/proof/load/ledger.ts";

test("what was acknowledged and never delivered is lost, what was only sent is not", () => {
  const ledger = openLedger(1, ["a", "b"], 0);
  for (const message of [1, 2, 3]) ledger.acknowledge(message, 0, 10);
  ledger.fail("TIMEOUT");
  ledger.fail("TIMEOUT");
  ledger.abandon(4);
  for (const message of [1, 2, 3]) ledger.deliver("a", message, 100 + message, 20);
  ledger.deliver("b", 2, 102, 20);
  expect(ledger.outcome()).toEqual({
    acknowledged: 3,
    abandoned: 1,
    failures: { TIMEOUT: 2 },
    readers: {
      a: { lost: [], storedTwice: [], redelivered: 0 },
      b: { lost: [1, 3], storedTwice: [], redelivered: 0 },
    },
  });
});

test("the same sequence again is a redelivery, another sequence a message stored twice", () => {
  const ledger = openLedger(1, ["a"], 0);
  ledger.acknowledge(1, 0, 10);
  ledger.acknowledge(2, 0, 10);
  for (const sequence of [7, 7, 7]) ledger.deliver("a", 1, sequence, 20);
  for (const sequence of [8, 9]) ledger.deliver("a", 2, sequence, 20);
  expect(ledger.outcome().readers.a).toEqual({ lost: [], storedTwice: [2], redelivered: 2 });
});

test("a lap has the pauses since the one before, the one that still lasts too", () => {
  const ledger = openLedger(2, ["a"], 0);
  ledger.acknowledge(1, 0, 100);
  ledger.acknowledge(2, 1, 400);
  ledger.acknowledge(3, 0, 3_000);
  ledger.deliver("a", 1, 1, 900);
  expect(ledger.lap(3_200)).toEqual({
    lasted: 3_200,
    acknowledged: 3,
    longest: 2_600,
    total: 2_600,
    worstSender: 2_900,
    readers: { a: 2_300 },
  });
  expect(ledger.lap(4_200)).toEqual({
    lasted: 1_000,
    acknowledged: 0,
    longest: 1_000,
    total: 1_000,
    worstSender: 1_000,
    readers: { a: 1_000 },
  });
});

test("a reader that nobody named is a mistake of the test", () => {
  expect(() => openLedger(1, [], 0).deliver("a", 1, 1, 0)).toThrow("no reader a");
});
