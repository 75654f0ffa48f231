/** Real floods of logins, refused logins and questions: what is left of the record of changes. */
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { audit } from "../../src/audit/audit.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import type { Model } from "../../src/model/resolve.ts";
import { AUDITED_AUTH, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

/** The real definitions with a hundredth of their room: floods end in seconds, and proportions stay. */
function cramped(model: Model): Model {
  const hundredth = (amount = -1): number => (amount > 0 ? Math.ceil(amount / 100) : amount);
  const streams = model.streams.map((stream) => {
    if (!stream.name.startsWith("circl_audit")) return stream;
    const { maxMsgs, maxBytes, maxMsgsPerSubject } = stream;
    const figures = { maxMsgs: hundredth(maxMsgs), maxBytes: hundredth(maxBytes) };
    return { ...stream, ...figures, maxMsgsPerSubject: hundredth(maxMsgsPerSubject) };
  });
  return { ...model, streams };
}

const model = cramped(realModel("local"));
/** A client may call itself what it likes; all of it stands in two reports. */
const LONG = "x".repeat(3_000);

/** Both must fit a line of the protocol (4096 bytes): a longer one is cut off unheard. */
const HALF = LONG.slice(0, 1_500);
/** Twice what `circl_audit_refused` has room for here. Each waits for a moment: the server is in no hurry to refuse. */
const REFUSED = 200;

async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - i) }, (_, j) => work(i + j)));
}

const stateOf = async (connection: NatsConnection, stream: string, subjects?: string) => {
  const body = subjects ? { subjects_filter: subjects } : undefined;
  const { state } = (await request(connection, `STREAM.INFO.${stream}`, body)) as {
    state?: { last_seq: number; messages: number; subjects?: Record<string, number> };
  };
  return state;
};

describe.skipIf(without("nats-server"))("the record of changes", { timeout: 180_000 }, () => {
  /** Alice changes one stream; then comes the flood. */
  async function after(flood: (cluster: Cluster, connection: NatsConnection) => Promise<void>) {
    const cluster = await Cluster.start(model, { auth: AUDITED_AUTH });
    await using _ = cluster;
    const begun = Date.now();
    const desired = desiredState(model);
    const connection = await cluster.connect();
    await createAudited(connection, desired);
    const alice = await cluster.connect({ user: "alice", pass: "loopback-only" });
    const orders = desired.streams.find(({ name }) => name === "circl_oms");
    await request(alice, "STREAM.UPDATE.circl_oms", { ...orders, max_msgs: 5_000 });
    await alice.close();
    await flood(cluster, connection);
    const events = await stateOf(connection, "circl_audit", "$JS.EVENT.ADVISORY.STREAM.UPDATED.circl_oms");
    await connection.close();
    await using reader = await openReader(cluster.target());
    const { changes = [] } = await audit(model, reader, begun, { changes: true });
    return {
      named: changes.filter(({ who, name }) => who.user === "alice" && name === "circl_oms").length,
      noticed: Object.values(events?.subjects ?? {}).length,
    };
  }

  test("outlives thousands of logins under names as long as they may be", async () => {
    const left = await after(async (cluster, connection) => {
      await times(1_500, async (i) => {
        const login = await cluster.connect({ user: "bob", pass: "loopback-only", name: `${i} ${LONG}` });
        await login.close();
      });
      // All of them were reported, and most of the reports are gone again.
      const keeper = model.streams.find(({ subjects }) => subjects.includes("circl.audit.connect.*"))?.name ?? "";
      await expect
        .poll(async () => (await stateOf(connection, keeper))?.last_seq, { timeout: 60_000 })
        .toBeGreaterThan(2_900);
    });
    expect(left).toEqual({ named: 1, noticed: 1 });
  });

  test("outlives thousands of refused logins", async () => {
    const left = await after(async (cluster, connection) => {
      await times(REFUSED, (i) =>
        cluster.connect({ user: `${i} ${HALF}`, pass: "guess", name: HALF }).catch(() => undefined),
      );
      await expect
        .poll(async () => (await stateOf(connection, "circl_audit_refused"))?.last_seq, { timeout: 60_000 })
        .toBe(REFUSED);
    });
    expect(left).toEqual({ named: 1, noticed: 1 });
  });

  test("loses to thousands of questions who it was, and keeps what happened when", async () => {
    const left = await after(async (_, connection) => {
      const share = model.streams.find(({ name }) => name === "circl_audit")?.maxMsgsPerSubject ?? 0;
      await times(2 * share, () => request(connection, "CONSUMER.INFO.circl_oms.bff-orders"));
      const reports = async () =>
        (await stateOf(connection, "circl_audit", "$JS.EVENT.ADVISORY.API"))?.subjects?.["$JS.EVENT.ADVISORY.API"];
      await expect.poll(reports, { timeout: 60_000 }).toBe(share);
    });
    expect(left).toEqual({ named: 0, noticed: 1 });
  });
});
