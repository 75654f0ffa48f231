/** Production with servers that die, are stopped, lose their volume or cannot be reached: nothing that was acknowledged is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NATS } from "../../../src/kubernetes/names.ts";
import { realModel } from "../../support/definitions.ts";
import { without } from "../../support/tools.ts";
import type { Lap } from "../ledger.ts";
import type { ByRoute, Route } from "../load.ts";
import { reportOutcome, reportPauses } from "../report.ts";
import { openSite, type Site } from "./site.ts";
import { allReady, kill, loseVolume, nodeOf, remove, serversOf } from "./strikes.ts";

/** 2 000 messages a second, of three kinds. */
const routes: Readonly<Record<string, Route>> = {
  telemetry: {
    subject: "circl.iot.telemetry.truck",
    identity: "iot",
    senders: 10,
    rate: 1_000,
    size: 500,
    readers: [{ identity: "bff", stream: "circl_iot", durable: "bff-iot" }],
  },
  location: {
    subject: "circl.iot.location.truck",
    identity: "iot",
    senders: 8,
    rate: 800,
    size: 300,
    // Copied, so a message is there for this reader only when it has come through two streams.
    readers: [{ identity: "bff", stream: "circl_iot_location", durable: "bff-location" }],
  },
  orders: {
    subject: "circl.oms.order.created",
    identity: "oms",
    senders: 2,
    rate: 200,
    size: 2_048,
    readers: [
      { identity: "dms", stream: "circl_oms", durable: "dms-orders" },
      { identity: "bff", stream: "circl_oms", durable: "bff-orders" },
    ],
  },
};

interface Fault {
  readonly name: string;
  /** Each is done while the load runs, and the load must get on before the next. */
  readonly blows: (site: Site) => readonly (() => Promise<void>)[];
}

const inTurn = (blow: (site: Site, pod: string) => Promise<void>) => (site: Site) =>
  serversOf(site).map((pod) => async () => {
    await blow(site, pod);
    await allReady(site, NATS.name);
  });

/** Longer than a client waits for an answer, shorter than a node may be silent before it counts as dead. */
const AWAY = 20_000;

const FAULTS: readonly Fault[] = [
  { name: "each server killed in turn", blows: inTurn((site, pod) => kill(site, pod, NATS.name)) },
  { name: "each server stopped in turn", blows: inTurn(remove) },
  {
    name: "each server without its volume in turn",
    blows: inTurn((site, pod) => loseVolume(site, pod, NATS.dataClaim)),
  },
  {
    name: "each node cut off in turn, and back",
    blows: inTurn(async (site, pod) => {
      const node = nodeOf(site, pod);
      await site.nodes.cut(node, false);
      await sleep(AWAY);
      await site.nodes.cut(node, true);
    }),
  },
  {
    name: "two of three nodes without power, and back",
    blows: (site) => [
      async () => {
        const nodes = serversOf(site)
          .slice(1)
          .map((pod) => nodeOf(site, pod));
        for (const node of nodes) await site.nodes.lose(node);
        await sleep(AWAY);
        for (const node of nodes) await site.nodes.recover(node);
        await allReady(site, NATS.name);
      },
    ],
  },
];

describe.skipIf(without("nats-server", "kube-apiserver", "etcd", "secret-template"))("production", () => {
  let site: Site | undefined;
  beforeAll(async () => {
    site = await openSite(realModel("production"));
  }, 1_200_000);
  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  }, 120_000);

  test.each(FAULTS)("$name", { timeout: 1_800_000 }, async ({ name, blows }) => {
    if (!site) throw new Error("there is no site");
    const load = await site.clients.start({ routes });
    await load.more(2_000);
    const laps: ByRoute<Lap>[] = [];
    for (const blow of blows(site)) {
      await load.lap();
      await blow();
      await load.more(500);
      laps.push(await load.lap());
    }
    for (const [i, lap] of laps.entries()) reportPauses(`${name}, ${i + 1}`, lap);
    const outcomes = await load.stop();
    reportOutcome(name, outcomes);
    for (const { abandoned, readers } of Object.values(outcomes)) {
      expect(abandoned).toBe(0);
      for (const readings of Object.values(readers)) expect(readings).toMatchObject({ lost: [], storedTwice: [] });
    }
  });
});
