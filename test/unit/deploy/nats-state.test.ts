import { describe, expect, test } from "vitest";
import { factsOf, type MetaGroup, metaProblems, streamProblems } from "../../../src/deploy/nats-state.ts";
import type { StreamInfo } from "../../../src/jetstream/api.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";

const follower: MetaGroup = { leader: "c-nats-0", cluster_size: 3 };
const peer = { name: "c-nats-1", current: true };
const leader: MetaGroup = { ...follower, replicas: [peer, { name: "c-nats-2", current: true }] };
const groups = (zero: MetaGroup | undefined, one: MetaGroup | undefined, two: MetaGroup | undefined = follower) =>
  new Map<string, MetaGroup | undefined>([
    ["nats-0", zero],
    ["nats-1", one],
    ["nats-2", two],
  ]);

describe("the meta group", () => {
  test("is complete where all know the same leader and it knows all others as current", () => {
    expect(metaProblems(groups(leader, follower), 3)).toEqual([]);
  });

  test.each<[string, Map<string, MetaGroup | undefined>, string[]]>([
    ["a server that says nothing", groups(leader, undefined), ["nats-1 says nothing of the meta group"]],
    ["a server without a leader", groups(leader, { cluster_size: 3 }), ["nats-1 knows no leader of the meta group"]],
    [
      "two leaders",
      groups(leader, { ...follower, leader: "c-nats-1" }),
      ["the meta group has two leaders: c-nats-0, c-nats-1"],
    ],
    [
      "a server too few",
      groups({ ...leader, cluster_size: 2 }, follower),
      ["nats-0 counts 2 of 3 servers in the meta group"],
    ],
    [
      "a leader that knows too few",
      groups({ ...leader, replicas: [peer] }, follower),
      ["the leader of the meta group knows 2 of 3 servers"],
    ],
    [
      "a server that lags",
      groups({ ...leader, replicas: [peer, { name: "c-nats-2", current: false, lag: 7 }] }, follower),
      ["c-nats-2 is not current in the meta group, 7 behind"],
    ],
    [
      "a server that is away",
      groups({ ...leader, replicas: [peer, { name: "c-nats-2", current: true, offline: true }] }, follower),
      ["c-nats-2 is not current in the meta group, 0 behind"],
    ],
  ])("names %s", (_, found, problems) => {
    expect(metaProblems(found, 3)).toEqual(problems);
  });

  test("is not asked for where a server stands alone", () => {
    expect(metaProblems(new Map([["nats-0", undefined]]), 1)).toEqual([]);
  });
});

const stream = (config: object, replicas: readonly object[] = []): Observed["streams"][number] => ({
  name: "orders",
  status: "known",
  info: { config: { name: "orders", ...config }, cluster: { leader: "a", replicas } } as unknown as StreamInfo,
});
const observed = (...streams: Observed["streams"]): Observed =>
  ({ streams, consumers: new Map() }) as unknown as Observed;

describe("streams", () => {
  const current = [
    { name: "b", current: true },
    { name: "c", current: true },
  ];

  test("are complete with all their replicas current", () => {
    expect(streamProblems(observed(stream({ num_replicas: 3 }, current), stream({ num_replicas: 1 })))).toEqual([]);
  });

  test.each([
    [[{ name: "b", current: false, lag: 9 }, current[1]], "stream orders: b is 9 behind"],
    [[{ name: "b", current: true, offline: true }, current[1]], "stream orders: b is offline"],
    [[current[0]], "stream orders: 2 of 3 replicas"],
  ])("name a replica that is not: %j", (replicas, problem) => {
    expect(streamProblems(observed(stream({ num_replicas: 3 }, replicas as object[])))).toEqual([problem]);
  });

  test("that cannot be asked are a problem, never taken for healthy", () => {
    expect(streamProblems(observed({ name: "orders", status: "unknown", why: "it has no leader" }))).toEqual([
      "stream orders: it has no leader",
    ]);
  });

  test("say which API level they need and what they reserve on file", () => {
    const found = observed(
      stream({ max_bytes: 100, metadata: { "_nats.req.level": "2" } }),
      stream({ max_bytes: 50, storage: "memory", metadata: { "_nats.req.level": "0" } }),
      stream({ max_bytes: -1 }),
    );
    expect(factsOf(found)).toEqual({ assetLevel: 2, reservedStore: 100 });
  });
});
