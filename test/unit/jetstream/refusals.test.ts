import { describe, expect, test } from "vitest";
import type { ClusterState, ConsumerInfo, StreamInfo } from "../../../src/jetstream/api.ts";
import type { WireConfig } from "../../../src/jetstream/desired.ts";
import type { Change } from "../../../src/jetstream/diff.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";
import { type Refusal, refusals } from "../../../src/jetstream/refusals.ts";
import { parseVersion } from "../../../src/model/version.ts";
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
  const whole = { name: "n-1", current: true };
  const beside = (field: string, to: unknown, other: ClusterState) => {
    const orders = { ...info("orders", { replicas: [] }), config: { name: "orders", num_replicas: 1 } };
    const asset = { kind: "stream", name: "orders", stream: "orders", action: "update" } as const;
    const live = { kind: "stream", info: orders } as const;
    const change: Change = {
      ...{ ...asset, config: { name: "orders", num_replicas: 1, [field]: to }, live },
      fields: [{ field, from: orders.config.num_replicas, to }],
    };
    const observed = observedWith([orders, info("devices", other)], {}, { cluster: "circl-production" });
    return said(refusals(change, versionOf("2.15.2"), { observed, changes: [change] }));
  };
  const copying = (field: string) => [
    expect.stringMatching(new RegExp(`^${field} 0: devices is being copied between servers, and two at once`)),
  ];

  test.each<[string, ClusterState]>([
    ["is reconfigured", { replicas: [whole], desired: {} }],
    ["has a replica that says nothing of itself", { replicas: [whole, { name: "n-2", current: false }] }],
    ["has a replica that is far behind", { replicas: [whole, { name: "n-2", current: false, lag: 90_000 }] }],
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
  });
});

describe("retention interest", () => {
  const update = (messages: number, consumers: Observed["consumers"]) => {
    const info: StreamInfo = {
      config: { name: "orders" },
      state: { messages, bytes: 100 * messages, first_seq: 1, last_seq: messages },
      created: "",
    };
    const asset = { kind: "stream", name: "orders", stream: "orders", action: "update" } as const;
    const fields = [{ field: "retention", from: "limits", to: "interest" }];
    const live = { kind: "stream", info } as const;
    const change: Change = { ...asset, config: { name: "orders", retention: "interest" }, fields, live };
    return said(
      refusals(change, versionOf("2.15.2"), { observed: { ...observedWith([info]), consumers }, changes: [] }),
    );
  };
  const worker = { name: "w", stream_name: "orders", config: {} } as unknown as ConsumerInfo;
  const consumers = (known: readonly ConsumerInfo[], unknown: readonly string[] = []): Observed["consumers"] =>
    new Map([["orders", { known, unknown: unknown.map((name) => ({ name, why: "" })) }]]);

  test("is blocked where no consumer would keep the messages, and where nobody knows what one has read", () => {
    expect(update(40, consumers([]))).toEqual([
      "retention 0: no consumer is interested, so all of 40 messages would go; the server does not refuse it, we do",
    ]);
    expect(update(40, consumers([worker], ["away"]))).toEqual([
      "retention 0: what goes depends on away, which cannot be asked",
    ]);
  });

  test("is fine with a consumer, and for an empty stream", () => {
    expect(update(40, consumers([worker]))).toEqual([]);
    expect(update(0, consumers([]))).toEqual([]);
  });
});

describe("fields that are newer than the server", () => {
  const create = (kind: "stream" | "consumer", config: WireConfig): Change => {
    const asset = { name: "orders/w", stream: "orders", action: "create", config } as const;
    return { ...asset, kind };
  };
  const on = (version: string, change: Change) => said(refusals(change, versionOf(version)));

  test.each<[string, "stream" | "consumer", WireConfig, string[]]>([
    [
      "2.10.29",
      "stream",
      { allow_msg_ttl: true, subject_delete_marker_ttl: 1e9 },
      ["allow_msg_ttl", "subject_delete_marker_ttl"],
    ],
    ["2.11.17", "stream", { allow_msg_counter: true, allow_atomic: true }, ["allow_msg_counter", "allow_atomic"]],
    [
      "2.11.17",
      "stream",
      { allow_msg_schedules: false, persist_mode: "async" },
      ["allow_msg_schedules", "persist_mode"],
    ],
    ["2.12.15", "stream", { allow_batched: true, allow_msg_ttl: true }, ["allow_batched"]],
    ["2.14.9", "stream", { allow_batched: true }, []],
    [
      "2.10.29",
      "consumer",
      { priority_policy: "overflow", priority_groups: ["a"], priority_timeout: 1e9 },
      ["priority_groups", "priority_policy", "priority_timeout"],
    ],
    ["2.11.17", "consumer", { priority_policy: "prioritized" }, ["priority_policy"]],
    ["2.11.17", "consumer", { priority_policy: "overflow", ack_policy: "explicit" }, []],
    ["2.12.15", "consumer", { ack_policy: "flow_control" }, ["ack_policy"]],
    ["2.14.9", "consumer", { ack_policy: "flow_control" }, []],
  ])("on %s, a %s with %j", (version, kind, config, fields) => {
    const found = on(version, create(kind, config));
    expect(found.map((text) => text.split(" ")[0])).toEqual(fields);
    for (const text of found) expect(text).toContain(`, and this server is ${version}`);
  });

  test.each<[string, WireConfig, string[]]>([
    ["of the stream", { subject_transform: { src: "a.*", dest: "{{left(1,2)}}" } }, ["subject_transform 10156"]],
    [
      "of a source",
      { sources: [{ name: "o", subject_transforms: [{ src: "*", dest: "{{right(1,2)}}" }] }] },
      ["sources 10146"],
    ],
    [
      "of a mirror",
      { mirror: { name: "o", subject_transforms: [{ src: "*", dest: "{{right(1,2)}}" }] } },
      ["mirror 10154"],
    ],
    ["of what is republished, which has always known it", { republish: { src: "a.*", dest: "{{left(1,2)}}" } }, []],
  ])("a mapping %s", (_, config, expected) => {
    expect(on("2.14.6", create("stream", config)).map((text) => text.split(":")[0])).toEqual(expected);
    expect(on("2.14.9", create("stream", config))).toEqual([]);
  });

  test("are refused where any server of the cluster is older, which is named; and said once", () => {
    const servers = [
      { name: "n-0", version: "2.14.9" },
      { name: "n-1", version: "2.12.15" },
      { name: "n-2", version: "2.12.15" },
    ];
    const change = create("stream", { allow_batched: true });
    const around = { observed: observedWith([]), changes: [change], servers };
    const on = (version: string) => said(refusals(change, versionOf(version), around));
    expect(on("2.14.9")).toEqual(["allow_batched 10025: it exists since 2.14, and n-1 is 2.12.15"]);
    expect(on("2.12.15")).toEqual(["allow_batched 10025: it exists since 2.14, and this server is 2.12.15"]);
    const upgraded = servers.map(({ name }) => ({ name, version: "2.14.9" }));
    expect(refusals(change, versionOf("2.14.9"), { ...around, servers: upgraded })).toEqual([]);
  });

  test("a storage that a newer server of the cluster keeps is refused, though this one would change it", () => {
    const info = { name: "w", stream_name: "orders", config: {} } as unknown as ConsumerInfo;
    const change: Change = {
      ...create("consumer", { mem_storage: true }),
      ...{ kind: "consumer", action: "update", live: { kind: "consumer", info } },
      fields: [{ field: "mem_storage", from: undefined, to: true }],
    } as Change;
    const around = { observed: observedWith([]), changes: [change] };
    const on = (...versions: string[]) =>
      said(
        refusals(change, versionOf("2.12.15"), {
          ...around,
          servers: versions.map((version, i) => ({ name: `n-${i}`, version })),
        }),
      );
    expect(on("2.12.15")).toEqual([]);
    expect(on("2.12.15", "2.14.9")).toEqual(["mem_storage 10012: the storage type cannot change"]);
  });

  test("a consumer that is deleted and created again", () => {
    const info = { name: "w", stream_name: "orders", config: {} } as unknown as ConsumerInfo;
    const asset = { kind: "consumer", name: "orders/w", stream: "orders", fields: [] } as const;
    const live = { kind: "consumer", info } as const;
    const recreated: Change = {
      ...asset,
      action: "recreate",
      config: { ack_policy: "flow_control" },
      live,
      place: "declared",
    };
    expect(on("2.12.15", recreated)).toEqual([
      'ack_policy 10025: "flow_control" exists since 2.14, and this server is 2.12.15',
    ]);
  });
});
