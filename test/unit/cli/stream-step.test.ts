import { describe, expect, test } from "vitest";
import { changedForGood, endOf } from "../../../src/cli/stream-step.ts";
import type { Plan } from "../../../src/jetstream/plan.ts";

const outcome = { done: ["orders"], failed: [], notStarted: [] };

describe("streams that were applied", () => {
  test("are counted", () => {
    expect(endOf(outcome, false)).toBe("1 streams and consumers applied");
    expect(endOf({ ...outcome, done: [] }, false)).toBe("nothing to apply");
  });

  test("are no success where Ctrl-C has left some out", () => {
    expect(() => endOf({ ...outcome, notStarted: ["devices"] }, true)).toThrow(
      expect.objectContaining({
        name: "Interrupted",
        message: "Interrupted: 1 streams and consumers are applied, not devices. The same command goes on from there.",
      }),
    );
  });

  test.each([0, 1])(
    "are no success where something was left out for no reason that is known, after %i others",
    (count) => {
      const done = outcome.done.slice(0, count);
      expect(() => endOf({ ...outcome, done, notStarted: ["devices"] }, false)).toThrow(
        expect.objectContaining({
          name: "StepFailure",
          message: `${count} streams and consumers are applied, not devices: plan again`,
        }),
      );
    },
  );

  test("are a success where Ctrl-C came when all was done", () => {
    expect(endOf(outcome, true)).toBe("1 streams and consumers applied");
  });

  test("fail with everything that did not work", () => {
    const failed = [{ name: "devices", error: new Error("no suitable peers") }];
    expect(() => endOf({ ...outcome, failed, notStarted: ["locations"], lockLost: "bob has it now" }, false)).toThrow(
      expect.objectContaining({
        name: "StepFailure",
        message: "devices: no suitable peers; the lock was lost: bob has it now. Not started: locations",
      }),
    );
  });
});

test("what is changed for good counts unless it was not begun, for what failed may have been written", () => {
  const changed = (name: string, action: string, ...kinds: readonly string[]) => ({
    change: { name, action },
    effects: kinds.map((kind) => ({ kind })),
  });
  const plan = {
    changes: [
      changed("orders", "update", "loses"),
      changed("devices", "delete"),
      changed("locations", "update", "irreversible"),
      changed("audit", "update", "breaks"),
    ],
  } as unknown as Plan;
  expect(changedForGood(plan, [])).toEqual(["orders", "devices", "locations"]);
  expect(changedForGood(plan, ["devices"])).toEqual(["orders", "locations"]);
});
