import { describe, expect, test, vi } from "vitest";
import { applyStreams, changedForGood, endOf, type OpenPlan, StreamsUnasked } from "../../../src/cli/stream-step.ts";
import { endingOf } from "../../../src/deploy/ending.ts";
import { keepSteps } from "../../../src/deploy/report.ts";
import { ConnectionFailure, type Writer } from "../../../src/jetstream/api.ts";
import type { Plan } from "../../../src/jetstream/plan.ts";
import { model, options, running, serversOf } from "../../support/deployed-production.ts";

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

describe("streams that are to be applied", () => {
  const loss = { code: "P001", severity: "error", says: "", hint: "", leave: "--allow-loss orders" };
  const planOf = (action: string) =>
    ({
      changes: [{ change: { name: "orders", action }, verdicts: action === "unknown" ? [] : [loss] }],
      basis: { model: { streams: [{ name: "orders", consumers: [] }] } },
    }) as unknown as Plan;

  /** Over connections of which the first `failures` do not come about, or meet a stream without a leader. */
  async function applying(failures: number, { interrupted = false, leaderless = false } = {}) {
    const seen = { attempts: 0, closed: 0, changed: 0 };
    const open = async (): Promise<OpenPlan> => {
      seen.attempts += 1;
      const failing = seen.attempts <= failures;
      if (failing && !leaderless) throw new ConnectionFailure("kubectl port-forward ended", {});
      const planned = planOf(failing ? "unknown" : "update");
      const close = async () => {
        seen.closed += 1;
      };
      return { planned, writer: {} as Writer, [Symbol.asyncDispose]: close };
    };
    const task = { model, options, servers: serversOf(running()) };
    const changed = () => {
      seen.changed += 1;
    };
    const error = await applyStreams(
      task,
      keepSteps(() => {}),
      () => interrupted,
      changed,
      open,
    ).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    return { ...seen, error: `${error?.name}: ${error?.message}` };
  }

  test("wait for a connection that does not come about at once, and for leave that is missing then", async () => {
    expect(await applying(1)).toEqual({
      ...{ attempts: 2, closed: 1, changed: 0 },
      error: "LeaveMissing: streams were not applied. To give leave: --allow-loss orders",
    });
  });

  test("wait for a stream that is without a leader as servers are replaced", async () => {
    expect(await applying(1, { leaderless: true })).toEqual({
      ...{ attempts: 2, closed: 2, changed: 0 },
      error: "LeaveMissing: streams were not applied. To give leave: --allow-loss orders",
    });
  });

  test("are left alone where one is without a leader for a minute, and so are the manifests", async () => {
    const minute = vi.spyOn(Date, "now");
    let now = 0;
    minute.mockImplementation(() => {
      now += 61_000;
      return now;
    });
    try {
      expect(await applying(1, { leaderless: true })).toEqual({
        ...{ attempts: 1, closed: 1, changed: 0 },
        error: "StreamsUnasked: streams were not applied: orders cannot be asked",
      });
    } finally {
      minute.mockRestore();
    }
    const { ending, says } = endingOf(new StreamsUnasked("orders"), true);
    expect({ ending, says }).toEqual({
      ending: "stop",
      says: [expect.stringContaining("the manifests stand, the streams wait")],
    });
  });

  test("wait no more after Ctrl-C", async () => {
    expect(await applying(1, { interrupted: true })).toEqual({
      ...{ attempts: 1, closed: 0, changed: 0 },
      error: "Interrupted: Interrupted before the streams. The same command goes on from there.",
    });
  });
});
