/** The load itself: it must find what goes wrong, or nothing that it says about a fault is worth anything. */
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { serviceOf } from "../../src/connect/service-client.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { startRemotely } from "../../src/proof/load/remote.ts";
import { serveTraffic } from "../../src/proof/load/server.ts";
import { more, type Route, startTraffic } from "../../src/proof/load/traffic.ts";
import { freePorts } from "../../src/proof/ports.ts";
import { eventually } from "../support/control-plane.ts";
import { realModel } from "../support/definitions.ts";
import { createAll, request } from "../support/jetstream.ts";
import { Cluster, metaReady } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { startVault, type Vault } from "../support/vault.ts";
import { reportOutcome, reportPauses } from "./faults/report.ts";

const orders: Route = {
  subject: "circl.oms.order.created",
  identity: "oms",
  senders: 4,
  rate: 400,
  size: 200,
  readers: [
    { identity: "dms", stream: "circl_oms", durable: "dms-orders" },
    { identity: "bff", stream: "circl_oms", durable: "bff-orders" },
  ],
};

/** Folders as the Secrets of services are mounted, for servers on loopback. */
function secretsOf({ cluster, documents }: Vault, names: readonly string[]): string {
  const secrets = join(cluster.root, "secrets");
  for (const name of names) {
    const folder = join(secrets, name);
    mkdirSync(folder, { recursive: true });
    const servers = cluster.servers.map(({ clientPort }) => `tls://127.0.0.1:${clientPort}`);
    writeFileSync(join(folder, "nats.json"), JSON.stringify({ name, servers, inboxPrefix: `_INBOX_${name}` }));
    writeFileSync(join(folder, "nats.nk"), JSON.parse(documents.get(`production-nats-client-${name}`) ?? "{}").seed);
    copyFileSync(join(cluster.root, "tls/nats-server-tls/ca.crt"), join(folder, "ca.crt"));
  }
  return secrets;
}

const STAY = { user: "sync", pass: "loopback-only", maxReconnectAttempts: -1, ignoreClusterUpdates: true };
const addressOf = ({ servers }: Cluster, i: number): string => `127.0.0.1:${servers[i]?.clientPort}`;

/** The message of the order stream under a sequence, as it was sent. */
async function stored(connection: NatsConnection, seq: number): Promise<string> {
  const { message } = (await request(connection, "STREAM.MSG.GET.circl_oms", { seq })) as {
    readonly message?: { readonly data: string };
  };
  return Buffer.from(message?.data ?? "", "base64").toString();
}

describe.skipIf(without("nats-server"))("a load", () => {
  test("finds nothing where nothing is broken, a message that is deleted, and one that is stored twice", async () => {
    const model = realModel("staging");
    await using cluster = await Cluster.start(model);
    const admin = await cluster.connect();
    await createAll(admin, desiredState(model));
    const load = await startTraffic({ routes: { orders }, silence: 10_000 }, async () =>
      serviceOf(await cluster.connect()),
    );
    await more(load, 200);
    // One reader is held back, so that something can happen to what it has not seen.
    const pause = (pause_until: string) => request(admin, "CONSUMER.PAUSE.circl_oms.dms-orders", { pause_until });
    expect(await pause(new Date(Date.now() + 600_000).toISOString())).not.toHaveProperty("error");
    await sleep(1_000);
    const { state } = (await request(admin, "STREAM.INFO.circl_oms")) as { readonly state?: { last_seq: number } };
    const [gone, again] = [(state?.last_seq ?? 0) + 50, (state?.last_seq ?? 0) + 60];
    for (let last = 0; last < again; ) {
      const info = (await request(admin, "STREAM.INFO.circl_oms")) as { readonly state?: { last_seq: number } };
      last = info.state?.last_seq ?? 0;
    }
    const [lost, twice] = [await stored(admin, gone), await stored(admin, again)];
    expect(await request(admin, "STREAM.MSG.DELETE.circl_oms", { seq: gone })).not.toHaveProperty("error");
    // Without its id the server takes it for a new one.
    await admin.jetstream().publish(orders.subject, twice);
    await pause(new Date(0).toISOString());
    const { orders: outcome } = await load.stop();
    await admin.close();

    const numberIn = (body: string) => Number(body.split(" ")[1]);
    expect(outcome?.readers["dms-orders"]).toMatchObject({ lost: [numberIn(lost)], storedTwice: [numberIn(twice)] });
    expect(outcome?.readers["bff-orders"]).toMatchObject({ lost: [], storedTwice: [numberIn(twice)] });
    expect(outcome).toMatchObject({ abandoned: 0, failures: {} });
    expect(outcome?.acknowledged).toBeGreaterThan(200);
  });

  test("goes on past the death of a server, and nothing of three replicas is lost", async () => {
    await using vault = await startVault(realModel("production"));
    const [port = 0] = await freePorts(1);
    await using _ = await serveTraffic(secretsOf(vault, ["oms", "dms", "bff"]), "127.0.0.1", port);
    const load = await startRemotely(`http://127.0.0.1:${port}`, { routes: { orders } });
    await load.more(400);
    for (const [i, server] of vault.cluster.servers.entries()) {
      await load.lap();
      server.process.kill("SIGKILL");
      await load.more(400);
      reportPauses(`server ${i} of three on loopback killed`, await load.lap());
      await metaReady(await vault.cluster.restart(i));
      await load.more(400);
    }
    const outcomes = await load.stop();
    // Whoever clears up need not know that it was stopped.
    await load.end();
    reportOutcome("three servers on loopback killed in turn", outcomes);
    expect(outcomes.orders).toMatchObject({ abandoned: 0 });
    for (const readings of Object.values(outcomes.orders?.readers ?? {})) {
      expect(readings).toMatchObject({ lost: [], storedTwice: [] });
    }
  });

  test("says what keeps it from beginning, and that there is none", async () => {
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    await using _ = await serveTraffic("/nowhere", "127.0.0.1", port);
    await expect(startRemotely(url, { routes: { orders } })).rejects.toThrow("/nowhere/oms/nats.json");
    expect(await fetch(`${url}/lap`).then((reply) => reply.json())).toBe("Error: there is no traffic");
    expect(await fetch(`${url}/end`).then((reply) => reply.json())).toBe("ended");
    expect(await fetch(`${url}/else`).then(({ status }) => status)).toBe(500);
  });

  test("is ended at once by who has given up, and sends nothing more", async () => {
    await using vault = await startVault(realModel("production"));
    const [port = 0] = await freePorts(1);
    await using _ = await serveTraffic(secretsOf(vault, ["oms", "dms", "bff"]), "127.0.0.1", port);
    const load = await startRemotely(`http://127.0.0.1:${port}`, { routes: { orders } });
    await load.more(100);
    await load.end();
    await expect(load.lap()).rejects.toThrow("there is no traffic");
    const planner = await vault.as("stream-plan");
    const lastOf = async () => {
      const { state } = (await request(planner, "STREAM.INFO.circl_oms")) as {
        readonly state?: { readonly last_seq: number };
      };
      return state?.last_seq ?? 0;
    };
    // What was under way may still be stored.
    await sleep(1_000);
    const last = await lastOf();
    await sleep(1_000);
    expect(last).toBeGreaterThan(100);
    expect(await lastOf()).toBe(last);
    await planner.close();
  });

  test("says that it hears nothing from its clients", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const patience = { work: 500, answer: 500 };
    await expect(startRemotely(url, { routes: { orders } }, patience)).rejects.toThrow(
      `the clients of the load have not answered ${url}/start for 0.5 s`,
    );
    silent.closeAllConnections();
    silent.close();
  });

  test("reads on past the loss of a server, though it was reconnected in the middle of looking for its consumer", async () => {
    await using cluster = await Cluster.start(realModel("production"));
    const admin = await cluster.connect({ ...STAY, servers: addressOf(cluster, 2) });
    await createAll(admin, desiredState(realModel("production")));
    const leader = async () => {
      const info = await request(admin, "CONSUMER.INFO.circl_oms.dms-orders").catch(() => undefined);
      return Number(info?.cluster?.leader?.at(-1) ?? Number.NaN);
    };
    /** Lets others be elected until one may be lost that nobody here is connected to. */
    const leadElsewhere = () =>
      eventually(
        async () => {
          if ((await leader()) !== 1)
            await request(admin, "CONSUMER.LEADER.STEPDOWN.circl_oms.dms-orders").catch(() => {});
          return leader();
        },
        (server) => server === 1,
        "server 1 to lead the consumer",
      );
    await leadElsewhere();
    await using client = serviceOf(await cluster.connect({ ...STAY, servers: addressOf(cluster, 0) }));
    const read: string[] = [];
    const ending = new AbortController();
    const reading = client.consume("circl_oms", "dms-orders", ({ text }) => read.push(text), ending.signal);
    const arrives = async (text: string) => {
      await eventually(
        () =>
          admin
            .jetstream()
            .publish(orders.subject, text, { msgID: text })
            .then(Boolean, () => false),
        (stored) => stored,
        `"${text}" to be stored`,
      );
      await eventually(
        async () => read,
        (texts) => texts.includes(text),
        `"${text}" to be read`,
      );
    };
    await arrives("before");
    // Two heartbeats that are missed, and a question about the consumer that nobody answers.
    cluster.servers[0]?.process.kill("SIGSTOP");
    await sleep(15_000);
    cluster.servers[0]?.process.kill("SIGKILL");
    await metaReady(await cluster.restart(0));
    await arrives("after the reconnect");
    await leadElsewhere();
    // Until it has an answer, and asks no more by itself.
    await sleep(15_000);
    // What waits there dies with it, and nobody says so: it takes heartbeats that are missed to ask again.
    cluster.servers[1]?.process.kill("SIGKILL");
    await arrives("after the leader was lost");
    ending.abort();
    await reading;
    await admin.close();
  });

  test("lets go of readers that are ended while they begin", async () => {
    const model = realModel("staging");
    await using cluster = await Cluster.start(model);
    const admin = await cluster.connect();
    await createAll(admin, desiredState(model));
    await using client = serviceOf(admin);
    const ending = new AbortController();
    const reading = client.consume("circl_oms", "dms-orders", () => {}, ending.signal);
    ending.abort();
    await reading;
  });
});
