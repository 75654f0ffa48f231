/** The declared peak, 10 000 messages a second over 1 000 connections: what is reached here, and which limit comes first. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { NATS, PORTS } from "../../../src/kubernetes/names.ts";
import { realModel } from "../../support/definitions.ts";
import type { Route } from "./load.ts";
import { reportOutcome, reportPauses } from "./report.ts";
import { cannotBoot, openSite, type Site } from "./site.ts";
import { runOf, serversOf } from "./strikes.ts";

const PEAK: Readonly<Record<string, Route>> = {
  location: {
    subject: "circl.iot.location.truck",
    identity: "iot",
    senders: 650,
    rate: 6_500,
    size: 300,
    readers: [{ identity: "bff", stream: "circl_iot_location", durable: "bff-location" }],
  },
  telemetry: {
    subject: "circl.iot.telemetry.truck",
    identity: "iot",
    senders: 300,
    rate: 3_000,
    size: 500,
    readers: [{ identity: "bff", stream: "circl_iot", durable: "bff-iot" }],
  },
  orders: {
    subject: "circl.oms.order.created",
    identity: "oms",
    senders: 46,
    rate: 500,
    size: 2_048,
    readers: [
      { identity: "dms", stream: "circl_oms", durable: "dms-orders" },
      { identity: "bff", stream: "circl_oms", durable: "bff-orders" },
    ],
  },
};
const MEASURED = 30_000;
/** Of Linux, in which /proc counts: a second has this many. */
const TICKS = 100;

/** Seconds of CPU that a process has had. */
function cpuOf(pid: number): number {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Seconds that all cores together have been idle. */
const idle = (): number => cpus().reduce((sum, { times }) => sum + times.idle, 0) / 1_000;

interface Varz {
  readonly connections: number;
  readonly max_connections: number;
  readonly slow_consumers: number;
}

const varzOf = async (site: Site, pod: string): Promise<Varz> => {
  const reply = await fetch(`http://${runOf(site, pod)?.address}:${PORTS.natsMonitor}/varz`);
  return (await reply.json()) as Varz;
};

test.skipIf(cannotBoot())(
  "production has room for every connection, and loses nothing at the rate that it reaches",
  { timeout: 3_600_000 },
  async () => {
    await using site = await openSite(realModel("production"));
    const load = await site.clients.start({ routes: PEAK, silence: 180_000 });
    const servers = serversOf(site);
    const pids = servers.map(
      (pod) => runOf(site, pod)?.containers.find(({ container }) => container.name === NATS.name)?.process?.pid ?? 0,
    );
    await sleep(5_000);
    const before = { idle: idle(), servers: pids.map(cpuOf), clients: cpuOf(site.clients.pid) };
    await load.lap();
    await sleep(MEASURED);
    const laps = await load.lap();
    const shares = pids.map((pid, i) => cpuOf(pid) - (before.servers[i] ?? 0));
    const clients = cpuOf(site.clients.pid) - before.clients;
    const spare = idle() - before.idle;
    const varz = await Promise.all(servers.map((pod) => varzOf(site, pod)));
    const outcomes = await load.stop();

    const reached = Object.values(laps).reduce(
      (sum, { acknowledged, lasted }) => sum + acknowledged / (lasted / 1_000),
      0,
    );
    const core = (seconds: number) => (seconds / (MEASURED / 1_000)).toFixed(2);
    console.log(
      `${Math.round(reached)} of 10 000 messages a second acknowledged over ${varz.map(({ connections }) => connections).join(" + ")} connections; ` +
        `cores: servers ${shares.map(core).join(" + ")}, clients ${core(clients)}, idle ${core(spare)} of ${cpus().length}`,
    );
    reportPauses("the declared peak", laps);
    reportOutcome("the declared peak", outcomes);
    expect(varz.reduce((sum, { connections }) => sum + connections, 0)).toBeGreaterThanOrEqual(1_000);
    expect(reached).toBeGreaterThan(0);
    for (const { readers } of Object.values(outcomes)) {
      for (const readings of Object.values(readers)) expect(readings).toMatchObject({ lost: [], storedTwice: [] });
    }
  },
);
