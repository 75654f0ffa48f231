/** Copies between servers: when they are not given up, and when another is not begun. */
import { describe, expect, test } from "vitest";
import type { ClusterState, StreamInfo } from "../../../src/jetstream/api.ts";
import type { Change } from "../../../src/jetstream/diff.ts";
import { effectsOf } from "../../../src/jetstream/effects.ts";
import { type Refusal, refusals } from "../../../src/jetstream/refusals.ts";
import { parseVersion } from "../../../src/model/version.ts";
import { modelWith } from "../../support/definitions.ts";
import { observedWith } from "../../support/observed.ts";

const said = (found: readonly Refusal[]): string[] =>
  found.map(({ field, errCode, says }) => `${field} ${errCode}: ${says}`);
const versionOf = (text: string) => parseVersion(text) ?? { major: 0, minor: 0, patch: 0 };

describe("fewer replicas", () => {
  const scale = (
    replicas: ClusterState["replicas"],
    cluster: string | undefined,
    leader: string | undefined = "n-0",
  ) => {
    const info: StreamInfo = {
      config: { name: "orders", num_replicas: 3 },
      state: { messages: 5, bytes: 500, first_seq: 1, last_seq: 5 },
      cluster: { ...(leader ? { leader } : {}), ...(replicas ? { replicas } : {}) },
      created: "",
    };
    const change: Change = {
      kind: "stream",
      name: "orders",
      stream: "orders",
      action: "update",
      config: { name: "orders", num_replicas: 1 },
      fields: [{ field: "num_replicas", from: 3, to: 1 }],
      live: { kind: "stream", info },
    };
    const observed = observedWith([info], {}, cluster ? { cluster } : {});
    return refusals(change, versionOf("2.14.9"), { observed, changes: [change] });
  };
  const whole = { name: "n-1", current: true };
  const blocked = (why: string) => [
    `num_replicas 0: copies are not given up while one of them is not whole: ${why}; the server would not refuse it, we do`,
  ];

  test.each<[string, ClusterState["replicas"]]>([
    ["while all are current", [whole, { name: "n-2", current: true }]],
    ["while one is a moment behind, as under load", [whole, { name: "n-2", current: false, lag: 12 }]],
  ])("are fine %s", (_, replicas) => {
    expect(said(scale(replicas, "circl-production"))).toEqual([]);
  });

  test.each<[string, ClusterState["replicas"], string]>([
    ["one is offline", [whole, { name: "n-2", current: false, offline: true, lag: 9 }], "n-2 is offline"],
    ["one is far behind", [whole, { name: "n-2", current: false, lag: 90_000 }], "n-2 is 90000 operations behind"],
    ["one says nothing", [whole, { name: "n-2", current: false }], "n-2 is not current"],
    ["one is missing", [whole], "1 of its replicas is missing"],
    [
      "one is offline and one far behind",
      [
        { name: "n-1", current: false, offline: true },
        { name: "n-2", current: false, lag: 90_000 },
      ],
      "n-1 is offline, n-2 is 90000 operations behind",
    ],
  ])("are blocked while %s", (_, replicas, why) => {
    const found = scale(replicas, "circl-production");
    expect(said(found)).toEqual(blocked(why));
    expect(found[0]?.hint).toContain("`circl status`");
  });

  test("are blocked without a leader, and fine on a standalone server, which has one copy whatever it says", () => {
    expect(said(scale([whole, whole], "circl-production", ""))).toEqual(blocked("it has no leader"));
    expect(said(scale(undefined, undefined))).toEqual([]);
  });
});

describe("a scale or a move while another stream", () => {
  const info = (name: string, cluster: ClusterState): StreamInfo => ({
    config: { name, num_replicas: 3 },
    state: { messages: 5, bytes: 500, first_seq: 1, last_seq: 5 },
    cluster: { leader: "n-0", ...cluster },
    created: "",
  });
  const current = (name: string) => ({ name, current: true });
  const whole = current("n-1");
  const around = (field: string, to: unknown, other: ClusterState) => {
    const orders = { ...info("orders", { replicas: [] }), config: { name: "orders", num_replicas: 1 } };
    const asset = { kind: "stream", name: "orders", stream: "orders", action: "update" } as const;
    const live = { kind: "stream", info: orders } as const;
    const change: Change = {
      ...{ ...asset, config: { name: "orders", num_replicas: 1, [field]: to }, live },
      fields: [{ field, from: orders.config.num_replicas, to }],
    };
    const observed = observedWith([orders, info("devices", other)], {}, { cluster: "circl-production" });
    return { change, observed };
  };
  const beside = (...of: Parameters<typeof around>) => {
    const { change, observed } = around(...of);
    return said(refusals(change, versionOf("2.15.2"), { observed, changes: [change] }));
  };
  const told = (...of: Parameters<typeof around>) => {
    const { change, observed } = around(...of);
    return effectsOf(change, observed, modelWith({}), versionOf("2.15.2"), 0).map(({ says }) => says);
  };
  const copying = (field: string) => [
    expect.stringMatching(new RegExp(`^${field} 0: devices is being copied between servers, and two at once`)),
  ];

  test.each<[string, ClusterState]>([
    ["is reconfigured (2.15)", { replicas: [whole], desired: {} }],
    ["moves, so that it has peers beyond its own (before 2.15)", { replicas: ["n-1", "n-2", "n-3"].map(current) }],
  ])("%s is blocked", (_, other) => {
    expect(beside("num_replicas", 3, other)).toEqual(copying("num_replicas"));
    expect(beside("placement", { cluster: "x" }, other)).toEqual(copying("placement"));
    expect(beside("max_msgs", 3, other)).toEqual([]);
  });

  test.each<[string, ClusterState]>([
    ["is whole", { replicas: [whole, { name: "n-2", current: true }] }],
    ["is a moment behind, as under load", { replicas: [whole, { name: "n-2", current: false, lag: 12 }] }],
    ["has a replica that is offline, to which nothing is copied", { replicas: [{ name: "n-1", offline: true }] }],
  ])("%s is fine", (_, other) => {
    expect(beside("num_replicas", 3, other)).toEqual([]);
    expect(told("num_replicas", 3, other)).toHaveLength(1);
  });

  test.each<[string, ClusterState, string]>([
    ["is far behind", { replicas: [whole, { name: "n-2", lag: 90_000 }] }, "n-2 is 90000 operations behind in devices"],
    ["says nothing of itself", { replicas: [whole, { name: "n-2" }] }, "n-2 is not current in devices"],
  ])("has a replica that %s is no reason to refuse it: a slow disk may last, and it is said", (_, other, says) => {
    expect(beside("num_replicas", 3, other)).toEqual([]);
    for (const [field, to] of [["num_replicas", 3] as const, ["placement", { cluster: "x" }] as const])
      expect(told(field, to, other)).toEqual([
        expect.stringMatching(/^data /),
        `meanwhile ${says}: a slow disk, or a copy under way, and two of those slow each other and every client`,
      ]);
    expect(told("num_replicas", 1, other)).toHaveLength(1);
    expect(told("description", "x", other)).toEqual([]);
  });
});

describe("subjects that move between streams", () => {
  const update = (name: string, before: readonly string[], after: readonly string[], from = 3): Change => {
    const config = { name, subjects: before, num_replicas: from };
    const state = { messages: 5, bytes: 500, first_seq: 1, last_seq: 5 };
    const info: StreamInfo = { config, state, cluster: { leader: "n-0" }, created: "" };
    return {
      ...{ kind: "stream", name, stream: name, action: "update", live: { kind: "stream", info } },
      config: { ...config, subjects: after, num_replicas: 3 },
      fields: [
        { field: "subjects", from: before, to: after },
        ...(from === 3 ? [] : [{ field: "num_replicas", from, to: 3 }]),
      ],
    };
  };
  const refused = (...changes: readonly Change[]) => {
    const observed = observedWith(
      changes.flatMap((one) => (one.action === "update" && one.live.kind === "stream" ? [one.live.info] : [])),
      {},
      { cluster: "circl-production" },
    );
    return changes.map((one) => said(refusals(one, versionOf("2.15.2"), { observed, changes })));
  };
  const giver = (from?: number) => update("giver", ["a", "b"], ["a"], from);
  const taker = (from?: number) => update("taker", ["c"], ["c", "b"], from);
  const atOnceWith = (other: string) => [
    expect.stringMatching(
      new RegExp(`^num_replicas 0: it would be copied between servers at once with ${other}, since subjects`),
    ),
  ];

  test("are no time to copy two of them: none waits until the other is whole", () => {
    expect(refused(giver(1), taker(1))).toEqual([atOnceWith("taker"), atOnceWith("giver")]);
    const second = update("second", ["d", "e"], ["d"], 1);
    const both = update("both", ["c"], ["c", "b", "e"]);
    expect(refused(giver(1), second, both)).toEqual([atOnceWith("second"), atOnceWith("giver"), []]);
  });

  test("may be of one that is copied, and beside others that wait for it", () => {
    expect(refused(giver(1), taker())).toEqual([[], []]);
    expect(refused(giver(), taker(1))).toEqual([[], []]);
    expect(refused(giver(1), taker(), update("other", ["x"], ["y"], 1))).toEqual([[], [], []]);
  });
});
