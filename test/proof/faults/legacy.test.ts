/** The server that this replaces, under the same load and the same faults as production: both run nats-server 2.14. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "nats";
import { describe, expect, test } from "vitest";
import { serviceOf } from "../../../src/connect/service-client.ts";
import { NATS } from "../../../src/kubernetes/names.ts";
import { more, type Route, startTraffic } from "../../../src/proof/load/traffic.ts";
import { freePorts } from "../../../src/proof/ports.ts";
import { realModel } from "../../support/definitions.ts";
import { cannotBoot } from "../../support/environment.ts";
import { request } from "../../support/jetstream.ts";
import { issueCertificates, stop } from "../../support/nats-server.ts";
import { tool } from "../../support/tools.ts";
import { reportOutcome, reportPauses } from "./report.ts";
import { openSite } from "./site.ts";
import { allReady, loseVolume, nodeOf, nodesWithoutClients, serversOf } from "./strikes.ts";
import { rateReached, said } from "./traffic.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/legacy/${name}`, import.meta.url), "utf8");
const PASSWORD = "loopback-only";

/** Orders as the old system published them, and read by the only user that could: no service was allowed `$JS.API`. */
const legacyRoute = {
  subject: "circl.oms.order.created",
  identity: "oms_service",
  senders: 8,
  rate: 1_000,
  size: 300,
  readers: [{ identity: "admin", stream: "circl_oms", durable: "orders" }],
} satisfies Route;

const ourRoute: Route = {
  ...legacyRoute,
  identity: "oms",
  readers: [{ identity: "dms", stream: "circl_oms", durable: "dms-orders" }],
};

class LegacyServer implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), "circl-legacy-"));
  #port = 0;
  #process: ChildProcess | undefined;

  async start(): Promise<void> {
    if (this.#port === 0) await this.#prepare();
    this.#process = spawn(tool("nats-server"), ["--config", join(this.root, "nats.conf")], {
      env: {
        NATS_ADMIN_PASSWORD: PASSWORD,
        NATS_BFF_PASSWORD: PASSWORD,
        NATS_IOT_PASSWORD: PASSWORD,
        NATS_OMS_PASSWORD: PASSWORD,
      },
      stdio: "ignore",
    });
    for (let attempt = 0; attempt < 300; attempt++) {
      const connection = await this.connect("admin", false).catch(() => undefined);
      if (connection) return connection.close();
      await sleep(100);
    }
    throw new Error(`the old server does not start:\n${readFileSync(join(this.root, "nats-server.log"), "utf8")}`);
  }

  connect(user: string, reconnect = true): Promise<NatsConnection> {
    return connect({
      servers: `127.0.0.1:${this.#port}`,
      user,
      pass: PASSWORD,
      tls: { caFile: join(this.root, "certs/server/ca.crt") },
      maxReconnectAttempts: reconnect ? -1 : 0,
    });
  }

  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await stop(this.#process as ChildProcess);
  }

  loseVolume(): void {
    rmSync(join(this.root, "data"), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process) await stop(this.#process);
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Only paths and ports of the old file are changed. */
  async #prepare(): Promise<void> {
    const [port = 0, monitor = 0] = await freePorts(2);
    const usages = ["server auth"];
    await issueCertificates(join(this.root, "certs"), { server: { dnsNames: ["localhost", "127.0.0.1"], usages } });
    mkdirSync(join(this.root, "data"));
    const config = fixture("nats-server.conf")
      .replace("listen: 0.0.0.0:4222", `listen: 127.0.0.1:${port}`)
      .replace("http: 0.0.0.0:8222", `http: 127.0.0.1:${monitor}`)
      .replace("/var/log/nats/", `${this.root}/`)
      .replace("/data/jetstream", `${this.root}/data/jetstream`)
      .replace("/etc/nats/certs/server.crt", `${this.root}/certs/server/tls.crt`)
      .replace("/etc/nats/certs/server.key", `${this.root}/certs/server/tls.key`);
    writeFileSync(join(this.root, "nats.conf"), config);
    this.#port = port;
  }
}

/** The old definition, with the one replica that the old server can hold. */
async function createOrders(server: LegacyServer): Promise<void> {
  const admin = await server.connect("admin");
  const config = { ...JSON.parse(fixture("oms-prod.json")), num_replicas: 1 };
  expect(await request(admin, "STREAM.CREATE.circl_oms", config)).not.toHaveProperty("error");
  const durable = { durable_name: "orders", ack_policy: "explicit", deliver_policy: "all" };
  const consumer = { stream_name: "circl_oms", config: durable, action: "create" };
  expect(await request(admin, "CONSUMER.CREATE.circl_oms.orders", consumer)).not.toHaveProperty("error");
  await admin.close();
}

/** Longer than a client's timeout, shorter than anybody takes to get up at night. */
const DOWN = 15_000;

describe.skipIf(cannotBoot("test-ca"))("the old server", () => {
  test("takes neither its own stream files nor all of its streams", async () => {
    await using server = new LegacyServer();
    await server.start();
    const admin = await server.connect("admin");
    const file = (name: string) => JSON.parse(fixture(`${name}-prod.json`));
    const create = (config: Record<string, unknown>) => request(admin, `STREAM.CREATE.${config.name}`, config);
    expect(await create(file("oms"))).toMatchObject({
      error: { description: "replicas > 1 not supported in non-clustered mode" },
    });
    expect(await create({ ...file("iot"), num_replicas: 1 })).not.toHaveProperty("error");
    // One stream may take all that the server has.
    expect(await create({ ...file("oms"), num_replicas: 1 })).toMatchObject({ error: { err_code: 10047 } });
    await admin.close();
  });

  test("is silent for as long as it is down, and begins anew without its volume; ours goes on and keeps everything", async () => {
    await using server = new LegacyServer();
    await server.start();
    await createOrders(server);
    const before = await startTraffic({ routes: { orders: legacyRoute }, silence: 5_000 }, async (user) =>
      serviceOf(await server.connect(user)),
    );
    await more(before, 2_000);
    const theirRate = await rateReached({ more: (count) => more(before, count), lap: async () => before.lap() }, [
      legacyRoute,
    ]);
    before.lap();
    const struck = performance.now();
    await server.kill();
    await sleep(DOWN);
    await server.start();
    const away = performance.now() - struck;
    await more(before, 1_000);
    const killed = before.lap();
    await server.kill();
    server.loseVolume();
    await server.start();
    await createOrders(server);
    await more(before, 1_000);
    const theirs = await before.stop();
    const admin = await server.connect("admin");
    const { state } = (await request(admin, "STREAM.INFO.circl_oms")) as { readonly state?: { messages: number } };
    await admin.close();
    reportPauses(`the old server at ${said(theirRate)}, killed for 15 s`, killed);
    reportOutcome("the old server, killed and without its volume", theirs);
    expect(killed.orders?.longest).toBeGreaterThan(DOWN - 1_000);
    // What had been acknowledged before the volume went is nowhere any more, read or not.
    expect(state?.messages).toBeLessThan((theirs.orders?.acknowledged ?? 0) - 2_000);

    await using site = await openSite(realModel("production"), { services: ["oms", "dms"] });
    const after = await site.clients.start({ routes: { orders: ourRoute } });
    const ourRate = await rateReached(after, [ourRoute]);
    await after.lap();
    const [node] = nodesWithoutClients(site);
    const other = serversOf(site).find((pod) => nodeOf(site, pod) !== node) ?? "";
    await site.nodes.lose(node);
    await sleep(away);
    await site.nodes.recover(node);
    await allReady(site, NATS.name);
    await after.more(1_000);
    const ourPauses = await after.lap();
    await loseVolume(site, other, NATS.dataClaim);
    await allReady(site, NATS.name);
    await after.more(1_000);
    const ours = await after.stop();
    const planner = await site.connect("stream-plan");
    const kept = (await request(planner, "STREAM.INFO.circl_oms")) as { readonly state?: { messages: number } };
    await planner.close();
    reportPauses(`production at ${said(ourRate)}, with a server away for as long`, ourPauses);
    reportOutcome("production, with a server away and one without its volume", ours);
    // A server was away for as long in both, on one machine: what differs is who waited for it.
    expect(ourPauses.orders?.longest).toBeLessThan(killed.orders?.longest ?? 0);
    expect(ours.orders?.readers["dms-orders"]).toMatchObject({ lost: [], storedTwice: [] });
    expect(kept.state?.messages).toBeGreaterThanOrEqual(ours.orders?.acknowledged ?? Number.NaN);
  });
});
