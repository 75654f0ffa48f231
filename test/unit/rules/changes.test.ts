import { describe, expect, test } from "vitest";
import type { StreamInfo } from "../../../src/jetstream/api.ts";
import type { PlannedChange } from "../../../src/jetstream/plan.ts";
import { changeRules, policy } from "../../../src/rules/changes.ts";

const change = { kind: "stream", name: "orders", stream: "orders", action: "none" } as const;
const stored: StreamInfo = {
  config: { name: "orders" },
  state: { messages: 12, bytes: 1_024, first_seq: 1, last_seq: 12 },
  created: "2026-01-01T00:00:00Z",
};
const planned = (part: Partial<PlannedChange>): PlannedChange => ({ change, effects: [], refusals: [], ...part });

/** For every rule a change that it speaks of, what is said, and the nearest change that it does not speak of. */
const cases: Readonly<Record<string, { fires: PlannedChange; says: string; leave?: string; quiet: PlannedChange }>> = {
  P001: {
    fires: planned({
      refusals: [{ field: "storage", errCode: 10052, says: "the storage type cannot change", hint: "Copy it." }],
    }),
    says: "storage: the storage type cannot change (10052)",
    quiet: planned({ effects: [{ kind: "says", says: "new blocks only" }] }),
  },
  P002: {
    fires: planned({ effects: [{ kind: "loses", messages: 20, bytes: 2_048, about: true, says: "the oldest go" }] }),
    says: "about 20 messages, 2 KiB: the oldest go",
    leave: "--allow-loss orders",
    quiet: planned({ effects: [{ kind: "breaks", says: "publishes are refused" }] }),
  },
  P003: {
    fires: planned({ effects: [{ kind: "irreversible", says: "can never be purged again" }] }),
    says: "can never be purged again",
    leave: "--allow-irreversible orders",
    quiet: planned({ effects: [{ kind: "says", says: "new blocks only" }] }),
  },
  P004: {
    fires: planned({ change: { ...change, action: "unknown", why: "its servers do not answer" } }),
    says: "its servers do not answer",
    quiet: planned({ change: { ...change, action: "unmanaged", owned: false } }),
  },
  P006: {
    fires: planned({ effects: [{ kind: "deletes", says: "the stream with 12 messages, 1 KiB" }] }),
    says: "deletes the stream with 12 messages, 1 KiB",
    leave: "--allow-delete orders",
    quiet: planned({ change: { ...change, action: "unmanaged", owned: true, live: { kind: "stream", info: stored } } }),
  },
  P007: {
    fires: planned({ change: { ...change, action: "unmanaged", owned: true, live: { kind: "stream", info: stored } } }),
    says: "holds 12 messages, 1 KiB",
    quiet: planned({
      change: { ...change, action: "unmanaged", owned: false, live: { kind: "stream", info: stored } },
    }),
  },
  P005: {
    fires: planned({ effects: [{ kind: "breaks", says: "publishes are refused" }] }),
    says: "publishes are refused",
    quiet: planned({ effects: [{ kind: "loses", messages: 1, says: "the oldest go" }] }),
  },
};

test("every rule has an example", () => {
  expect(changeRules.map(({ code }) => code).sort()).toEqual(Object.keys(cases).sort());
});

describe.each(Object.entries(cases))("%s", (code, { fires, says, leave, quiet }) => {
  test("says what it is about and what gives leave", () => {
    const verdict = policy(fires).find((candidate) => candidate.code === code);
    expect(verdict).toMatchObject({ says, ...(leave ? { leave } : {}) });
    if (!leave) expect(verdict).not.toHaveProperty("leave");
  });

  test("is quiet just beside it", () => {
    expect(policy(quiet).filter((verdict) => verdict.code === code)).toEqual([]);
  });
});

describe("P005 says what to do by whom it breaks", () => {
  const publishes = { service: "oms", does: "publishes", what: "orders.>" } as const;
  const reads = { service: "bff", does: "reads", what: "orders/bff" } as const;
  test.each([
    ["publishers", [publishes], "Move publishers first."],
    ["readers", [reads], "Make its readers ready for it first."],
    ["both", [reads, publishes], "Move publishers and readers first."],
    ["nobody by name", [], "Find out who depends on it, and make them ready for it first."],
  ])("%s", (_, clients, hint) => {
    expect(policy(planned({ effects: [{ kind: "breaks", says: "ends", clients }] }))).toMatchObject([{ hint }]);
  });
});
