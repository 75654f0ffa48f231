/** What clients do while something is broken, and what must hold of it. */
import { expect } from "vitest";
import type { Route } from "./load.ts";
import { reportOutcome, reportPauses } from "./report.ts";
import type { Site } from "./site.ts";

/** Messages a second of all routes together. A machine that is busy with other things may be asked for less. */
const RATE = Number(process.env.CIRCL_PROOF_RATE ?? 2_000);

/** Telemetry, positions and orders. */
export const ROUTES: Readonly<Record<string, Route>> = {
  telemetry: {
    subject: "circl.iot.telemetry.truck",
    identity: "iot",
    senders: 10,
    rate: 0.5 * RATE,
    size: 500,
    readers: [{ identity: "bff", stream: "circl_iot", durable: "bff-iot" }],
  },
  location: {
    subject: "circl.iot.location.truck",
    identity: "iot",
    senders: 8,
    rate: 0.4 * RATE,
    size: 300,
    // Copied: a message is there for this reader only once it has come through two streams.
    readers: [{ identity: "bff", stream: "circl_iot_location", durable: "bff-location" }],
  },
  orders: {
    subject: "circl.oms.order.created",
    identity: "oms",
    senders: 2,
    rate: 0.1 * RATE,
    size: 2_048,
    readers: [
      { identity: "dms", stream: "circl_oms", durable: "dms-orders" },
      { identity: "bff", stream: "circl_oms", durable: "bff-orders" },
    ],
  },
};

export interface Fault {
  readonly name: string;
  /** Each is done while the load runs, and the load must get on before the next. */
  readonly blows: (site: Site) => readonly (() => Promise<void>)[];
}

/**
 * Strikes while clients publish and read, prints for how long they could not, and expects that nothing that was acknowledged is
 * lost or stored twice, and that senders and readers got on after every blow. What a sender gave up was promised to nobody: how
 * long servers are away is a matter of the machine.
 */
export async function outlives(site: Site, { name, blows }: Fault): Promise<void> {
  const load = await site.clients.start({ routes: ROUTES });
  await load.more(500);
  for (const [i, blow] of blows(site).entries()) {
    await load.lap();
    await blow();
    await load.more(500);
    reportPauses(`${name}, ${i + 1}`, await load.lap());
  }
  const outcomes = await load.stop();
  reportOutcome(name, outcomes);
  for (const { readers } of Object.values(outcomes)) {
    for (const readings of Object.values(readers)) expect(readings).toMatchObject({ lost: [], storedTwice: [] });
  }
}
