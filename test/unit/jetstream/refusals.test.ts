import { describe, expect, test } from "vitest";
import type { ConsumerInfo, StreamInfo } from "../../../src/jetstream/api.ts";
import type { WireConfig } from "../../../src/jetstream/desired.ts";
import type { Change } from "../../../src/jetstream/diff.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";
import { type Refusal, refusals } from "../../../src/jetstream/refusals.ts";
import { parseVersion } from "../../../src/model/version.ts";
import { observedWith } from "../../support/observed.ts";

const said = (found: readonly Refusal[]): string[] =>
  found.map(({ field, errCode, says }) => `${field} ${errCode}: ${says}`);
const versionOf = (text: string) => parseVersion(text) ?? { major: 0, minor: 0, patch: 0 };

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
