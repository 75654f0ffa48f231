/** What clients do while something is broken, and what must hold of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { isCaptured } from "../../../src/model/capture.ts";
import type { Model } from "../../../src/model/resolve.ts";
import type { Lap } from "../../../src/proof/load/ledger.ts";
import type { RemoteTraffic } from "../../../src/proof/load/remote.ts";
import type { ByRoute, Route } from "../../../src/proof/load/traffic.ts";
import { reportOutcome, reportPauses } from "./report.ts";
import type { Site } from "./site.ts";

/** Messages a second of all routes together. A machine that is busy with other things may be asked for less. */
const RATE = Number(process.env.CIRCL_PROOF_RATE ?? 2_000);

/** What two cores, shared by everything, must carry of it where nothing is broken: less is a defect and not the machine. */
const FLOOR = 0.5;
const QUIET = 5_000;
/** Seconds of load that a stream must have room for: what gives way to newer messages before it is read is lost by definition. */
const ROOM = 500;

/** Telemetry, positions and orders. */
const ROUTES: Readonly<Record<string, Route>> = {
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

/** The routes, slower by as much as the streams of an environment have less room. */
export function routesFor({ streams }: Model): Readonly<Record<string, Route>> {
  const share = Math.min(
    1,
    ...streams.map(({ name, subjects, maxMsgs }) => {
      const into = Object.values(ROUTES).filter(
        ({ subject, readers }) => readers.some(({ stream }) => stream === name) || isCaptured(subject, subjects),
      );
      const rate = into.reduce((sum, route) => sum + route.rate, 0);
      return maxMsgs > 0 && rate > 0 ? maxMsgs / ROOM / rate : 1;
    }),
  );
  return Object.fromEntries(
    Object.entries(ROUTES).map(([name, route]) => [name, { ...route, rate: route.rate * share }]),
  );
}

export interface Fault {
  readonly name: string;
  /** Each is done while the load runs, and the load must get on before the next. */
  readonly blows: (site: Site) => readonly (() => Promise<void>)[];
}

/** Messages a second of all routes together. */
interface Rate {
  readonly wanted: number;
  readonly reached: number;
}

/** What a load reaches where nothing is broken, in its first quiet seconds. */
export async function rateReached(
  load: { readonly more: (count: number) => Promise<void>; readonly lap: () => Promise<ByRoute<Lap>> },
  routes: readonly Route[],
): Promise<Rate> {
  await load.more(500);
  await load.lap();
  await sleep(QUIET);
  const reached = Object.values(await load.lap()).reduce(
    (sum, { acknowledged, lasted }) => sum + acknowledged / (lasted / 1_000),
    0,
  );
  return { wanted: routes.reduce((sum, { rate }) => sum + rate, 0), reached };
}

export const said = ({ reached, wanted }: Rate): string =>
  `${Math.round(reached)} of ${Math.round(wanted)} messages a second`;

/**
 * Strikes while clients publish and read, prints for how long they could not, and expects that nothing that was acknowledged is
 * lost or stored twice, and that senders and readers got on after every blow. What a sender gave up was promised to nobody: how
 * long servers are away is a matter of the machine.
 */
export async function outlives(site: Site, fault: Fault): Promise<void> {
  const routes = routesFor(site.model);
  const load = await site.clients.start({ routes });
  try {
    await strike(site, fault, load, Object.values(routes));
  } catch (error) {
    // The next case is not to bear it. What went wrong is worth more than that the load cannot be ended.
    await load.end().catch(() => {});
    throw error;
  }
}

async function strike(
  site: Site,
  { name, blows }: Fault,
  load: RemoteTraffic,
  routes: readonly Route[],
): Promise<void> {
  const rate = await rateReached(load, routes);
  console.log(`${name}: ${said(rate)} before it`);
  expect(rate.reached).toBeGreaterThan(FLOOR * rate.wanted);
  for (const [i, blow] of blows(site).entries()) {
    await load.lap();
    const struck = Date.now();
    await blow();
    console.log(`${name}, ${i + 1}: over after ${Math.round((Date.now() - struck) / 1_000)} s`);
    await load.more(500);
    reportPauses(`${name}, ${i + 1}`, await load.lap());
  }
  const outcomes = await load.stop();
  reportOutcome(`${name}, ${said(rate)} before it`, outcomes);
  for (const { readers } of Object.values(outcomes)) {
    for (const readings of Object.values(readers)) expect(readings).toMatchObject({ lost: [], storedTwice: [] });
  }
}
