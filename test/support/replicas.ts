/** Empty volumes for servers of a filled cluster, and when its replicas have caught up. */
import { expect } from "vitest";
import { type Cluster, metaReady } from "./nats-server.ts";

/**
 * Gives a server an empty volume. In a pod the lame duck hands leaders over before; here the others must have elected theirs, or
 * the empty one comes back in the middle of an election (once in ten times the group then had no leader for a minute, 2.14.9).
 */
export async function replace(cluster: Cluster, i: number): Promise<void> {
  const gone = `circl-staging-nats-${i}`;
  const led = async () => {
    const leaders = (await groups(cluster).catch(() => [])).map(({ leader }) => leader);
    return leaders.length === 2 && leaders.every((leader) => leader !== undefined && leader !== gone);
  };
  const meanwhile = async () => {
    await expect.poll(led, { timeout: 120_000, interval: 250 }).toBe(true);
  };
  await metaReady(await cluster.restart(i, { empty: true, meanwhile }));
  await current(cluster);
}

/** Waits until stream and consumer have a leader and two replicas that are current. */
export const current = (cluster: Cluster): Promise<void> =>
  expect
    .poll(
      async () =>
        (await groups(cluster).catch(() => [])).map(({ leader = "", replicas = [] }) => [
          leader !== "",
          replicas.filter((peer) => peer.current && !peer.offline).length,
        ]),
      { timeout: 120_000, interval: 250 },
    )
    .toEqual([
      [true, 2],
      [true, 2],
    ]);

interface Group {
  readonly leader?: string;
  readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
}

/** The raft groups of the stream and of its consumer. */
async function groups(cluster: Cluster): Promise<Group[]> {
  const connection = await cluster.connect();
  try {
    const manager = await connection.jetstreamManager();
    const both = [await manager.streams.info("S"), await manager.consumers.info("S", "d")];
    return both.map(({ cluster: group }) => group as Group);
  } finally {
    await connection.close();
  }
}
