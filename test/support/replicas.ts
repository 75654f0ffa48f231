/** Empty volumes for servers of a filled cluster, and when its replicas have caught up. */
import { expect } from "vitest";
import { WHOLE } from "./filled-cluster.ts";
import { type Cluster, metaReady, type RunningServer } from "./nats-server.ts";

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

/**
 * Waits until stream and consumer have a leader and two replicas that are current, and until each server has all of it itself: for a
 * moment the leader takes a server for current by what that one acknowledged before its volume was lost. While the log of a server
 * is empty its vote counts only if all three vote (raft.go 2.14.9, emptyVotes): the next one to go would leave them without leader.
 */
export async function current(cluster: Cluster): Promise<void> {
  const heard = async () =>
    (await groups(cluster).catch(() => [])).map(({ leader = "", replicas = [] }) => [
      leader !== "",
      replicas.filter((peer) => peer.current && !peer.offline).length,
    ]);
  const both = [
    [true, 2],
    [true, 2],
  ];
  await expect.poll(heard, { timeout: 120_000, interval: 250 }).toEqual(both);
  const held = () => Promise.all(cluster.servers.map((server) => own(server).catch(String)));
  const { messages, acknowledged } = WHOLE;
  const whole = cluster.servers.map(() => ({ messages, acknowledged }));
  await expect.poll(held, { timeout: 120_000, interval: 250 }).toEqual(whole);
}

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

/** What a server itself has of the stream and of its consumer. */
async function own({ monitorPort }: RunningServer): Promise<Omit<typeof WHOLE, "first">> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/jsz?acc=CIRCL&streams=true&consumers=true`);
  const { account_details: accounts } = (await answer.json()) as Jsz;
  const [stream] = accounts?.[0]?.stream_detail ?? [];
  const [consumer] = stream?.consumer_detail ?? [];
  return { messages: stream?.state.messages ?? 0, acknowledged: consumer?.ack_floor.stream_seq ?? 0 };
}

interface Jsz {
  readonly account_details?: readonly {
    readonly stream_detail?: readonly {
      readonly state: { readonly messages: number };
      readonly consumer_detail?: readonly { readonly ack_floor: { readonly stream_seq: number } }[];
    }[];
  }[];
}
