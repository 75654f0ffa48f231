import { expect, test } from "vitest";
import type { Peer, StreamInfo } from "../../../src/jetstream/api.ts";
import type { Observed } from "../../../src/jetstream/observe.ts";
import { steady } from "../../../src/jetstream/steady.ts";

/** Looks at one stream whose replicas are `peers`, one entry a look; the last one stays. */
function looking(...peers: readonly (readonly Peer[])[]) {
  let looks = 0;
  const look = async () => {
    const replicas = peers[Math.min(looks++, peers.length - 1)];
    const info = { config: { name: "orders" }, cluster: { leader: "nats-0", replicas } } as unknown as StreamInfo;
    return { streams: [{ name: "orders", status: "known", info }] } as unknown as Observed;
  };
  return { look, looks: () => looks };
}

const peers = (one: boolean, two: boolean): readonly Peer[] => [
  { name: "nats-1", current: one, ...(one ? {} : { lag: 3 }) },
  { name: "nats-2", current: two, ...(two ? {} : { lag: 3 }) },
];

const currentIn = ({ streams: [stream] }: Observed) =>
  stream?.status === "known" ? stream.info.cluster?.replicas?.map(({ current }) => current) : undefined;

test("one look is enough where all replicas are current", async () => {
  const { look, looks } = looking(peers(true, true));
  expect(currentIn(await steady(look, 0))).toEqual([true, true]);
  expect(looks()).toBe(1);
});

test("a replica keeps up that is current in any look, though never at the same time as the other", async () => {
  const { look, looks } = looking(peers(true, false), peers(false, true));
  expect(currentIn(await steady(look, 0))).toEqual([true, true]);
  expect(looks()).toBe(2);
});

test("a replica that catches up is behind in all of them", async () => {
  const { look, looks } = looking(peers(true, false));
  expect(currentIn(await steady(look, 0))).toEqual([true, false]);
  expect(looks()).toBe(5);
});

test("nobody waits for a replica that is away, and one that goes is not current for having been so", async () => {
  const gone: readonly Peer[] = [
    { name: "nats-1", current: false, offline: true },
    { name: "nats-2", current: true },
  ];
  const { look, looks } = looking(peers(true, false), gone);
  expect(currentIn(await steady(look, 0))).toEqual([false, true]);
  expect(looks()).toBe(2);
});

test("a stream that cannot be asked is left as it is", async () => {
  const unknown = { streams: [{ name: "orders", status: "unknown", why: "it has no leader" }] } as unknown as Observed;
  expect(await steady(async () => unknown, 0)).toEqual(unknown);
});
