/** TLS of clients and routes on real servers, with the rendered nats.conf and certificates as cert-manager gives them. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TlsOptions } from "nats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { handshake, inClear, routeInClear, tlsServer } from "../support/handshake.ts";
import { startLoad } from "../support/load.ts";
import { Cluster, issueCertificates, metaReady } from "../support/nats-server.ts";
import { reload, setCertificates } from "../support/reload.ts";
import { without } from "../support/tools.ts";
import { startVault } from "../support/vault.ts";

const CLIENT = { dnsNames: [], usages: ["client auth"] };
const SERVER = { dnsNames: ["localhost", "127.0.0.1"], usages: ["server auth", "client auth"] };
const LOGIN = { user: "sync", pass: "loopback-only" };

const BOTH = ["staging", "production"] as const;

/** Staging, or another, with other settings of TLS. */
function staging(
  { minimum = "1.2", certificates = false }: { minimum?: "1.2" | "1.3"; certificates?: boolean },
  name: (typeof BOTH)[number] = "staging",
): Model {
  const model = realModel(name);
  const { nats } = model.environment;
  return {
    ...model,
    environment: {
      ...model.environment,
      nats: { ...nats, tlsMinimum: minimum, clients: { ...nats.clients, certificates } },
    },
  };
}

const pem = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");
const port = ({ servers: [server] }: Cluster): number => server?.clientPort ?? 0;

/** Logs in over TLS with other options than those that work. */
const enter = (cluster: Cluster, tls: TlsOptions, login: object = LOGIN) =>
  connect({ servers: `127.0.0.1:${port(cluster)}`, ...login, tls, maxReconnectAttempts: 0, timeout: 5_000 });

describe.skipIf(without("nats-server", "test-ca"))("a client", () => {
  const foreign = mkdtempSync(join(tmpdir(), "circl-foreign-"));
  beforeAll(() => issueCertificates(foreign, { client: CLIENT, server: SERVER }));
  afterAll(() => rmSync(foreign, { recursive: true, force: true }));

  test.each(BOTH)(
    "of %s gets in over TLS 1.2 and 1.3, and not without, over 1.1, with a wrong authority or without credentials",
    async (name) => {
      await using cluster = await Cluster.start(staging({}, name), { count: 1 });
      const ca = pem(cluster.root, "tls/nats-server-tls/ca.crt");
      await (await enter(cluster, { ca })).close();
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const made = await handshake(port(cluster), { ca, minVersion: version, maxVersion: version });
        expect(made).toMatchObject({ protocol: version });
      }
      // A client library would begin TLS by itself: this one sends its credentials as they are.
      expect(await inClear(port(cluster), LOGIN)).toEqual({ demanded: true, answered: "" });
      // A client that can: with a server that takes TLS 1.1 it speaks it. Ours says itself that it does not.
      const old = { ca, minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
      const own = join(cluster.root, "tls/nats-server-tls");
      await using lenient = await tlsServer({ cert: pem(own, "tls.crt"), key: pem(own, "tls.key"), ...old });
      expect(await handshake(lenient.port, old, "route")).toMatchObject({ protocol: "TLSv1.1" });
      expect((await handshake(port(cluster), old)).error).toMatch(/alert protocol version/);
      await expect(enter(cluster, { ca: pem(foreign, "server/ca.crt") })).rejects.toThrow(/certificate/i);
      await expect(enter(cluster, { ca }, {})).rejects.toThrow(/authorization violation/i);
      await expect(enter(cluster, { ca }, { ...LOGIN, pass: "wrong" })).rejects.toThrow(/authorization violation/i);
    },
  );

  test("is refused over TLS 1.2 where the environment wants 1.3", async () => {
    await using cluster = await Cluster.start(staging({ minimum: "1.3" }), { count: 1 });
    const ca = pem(cluster.root, "tls/nats-server-tls/ca.crt");
    expect((await handshake(port(cluster), { ca, maxVersion: "TLSv1.2" })).error).toMatch(/alert protocol version/);
    expect(await handshake(port(cluster), { ca })).toMatchObject({ protocol: "TLSv1.3" });
    await (await enter(cluster, { ca })).close();
  });

  test("needs a certificate of our authority where the environment wants one, and credentials as well", async () => {
    const options = {
      count: 1,
      certificates: { client: CLIENT, "server-only": { ...SERVER, usages: ["server auth"] } },
    };
    await using cluster = await Cluster.start(staging({ certificates: true }), options);
    const ca = pem(cluster.root, "tls/nats-server-tls/ca.crt");
    const own = (folder: string) => ({ ca, cert: pem(folder, "tls.crt"), key: pem(folder, "tls.key") });
    const certified = own(join(cluster.root, "tls/client"));
    await (await enter(cluster, certified)).close();
    for (const [options, why] of [
      [{ ca }, /didn't provide a certificate/],
      [{ ...own(join(foreign, "client")), ca }, /certificate signed by unknown authority/],
      [own(join(cluster.root, "tls/server-only")), /incompatible key usage/],
    ] as const) {
      await expect(enter(cluster, options)).rejects.toThrow();
      expect(cluster.servers[0]?.log()).toMatch(why);
    }
    await expect(enter(cluster, certified, {})).rejects.toThrow(/authorization violation/i);
  });
});

describe.skipIf(without("nats-server", "test-ca"))("a route", () => {
  test("takes a certificate of its own authority, and neither one of the clients' nor none, nor a word in clear", async () => {
    await using cluster = await Cluster.start(staging({ certificates: true }), {
      certificates: { client: CLIENT, both: SERVER },
      routeCertificates: { peer: SERVER },
    });
    const [server] = cluster.servers;
    const ca = pem(cluster.root, "tls/nats-route-tls/ca.crt");
    const refused = (why: string) =>
      server?.log().match(new RegExp(`TLS route handshake error.*${why}`, "g"))?.length ?? 0;
    const dial = (name?: string) => {
      const folder = join(cluster.root, "tls", name ?? "");
      const own = name ? { ca, cert: pem(folder, "tls.crt"), key: pem(folder, "tls.key") } : { ca };
      // Over TLS 1.2 the handshake is not over before the server has judged the certificate.
      return handshake(cluster.routePort(0), { ...own, maxVersion: "TLSv1.2" }, "route");
    };
    expect(await dial("peer")).toMatchObject({ protocol: "TLSv1.2" });
    for (const [i, name] of ["client", "both"].entries()) {
      expect(await dial(name)).toMatchObject({ error: expect.any(String) });
      await expect.poll(() => refused("unknown authority"), { timeout: 20_000 }).toBe(i + 1);
    }
    expect(await dial()).toMatchObject({ error: expect.any(String) });
    await expect.poll(() => refused("didn't provide a certificate"), { timeout: 20_000 }).toBe(1);
    expect(await routeInClear(cluster.routePort(0))).toBe("");
    await expect.poll(() => refused("does not look like a TLS handshake"), { timeout: 20_000 }).toBe(1);
  });
});

describe.skipIf(without("nats-server", "test-ca"))("certificates", { timeout: 300_000 }, () => {
  test.each(BOTH)(
    "of %s are renewed under load: new connections see the new one, and nothing is lost",
    async (name) => {
      await using vault = await startVault(realModel(name), {
        certificates: { "renewed-server": SERVER },
        routeCertificates: { "renewed-route": SERVER },
      });
      const { cluster } = vault;
      const ca = pem(cluster.root, "tls/nats-server-tls/ca.crt");
      const seen = async () =>
        Promise.all(cluster.servers.map(async ({ clientPort }) => (await handshake(clientPort, { ca })).fingerprint));
      const before = await seen();
      const route = { subject: "circl.iot.status.updated", stream: "circl_iot", durable: "bff-iot" };
      const load = startLoad(await vault.as("iot"), await vault.as("bff"), route);
      await load.more(100);
      setCertificates(cluster, "nats-server-tls", "renewed-server");
      setCertificates(cluster, "nats-route-tls", "renewed-route");
      await reload(cluster);
      await load.more(100);
      const after = await seen();
      expect(new Set(after).size).toBe(1);
      expect(after[0]).toBeDefined();
      expect(before).not.toContain(after[0]);
      // Routes dial with the new one as well: a server that was away comes back.
      await metaReady(await cluster.restart(2));
      await load.more(100);
      expect(await load.stop()).toMatchObject({ failed: [], lost: [] });
      for (const { log } of cluster.servers) expect(log()).not.toMatch(/TLS route handshake error/);
    },
  );

  test.each(BOTH)("of %s that are broken keep the old ones, and the log says so", async (name) => {
    await using cluster = await Cluster.start(realModel(name), { count: 1, certificates: { other: SERVER } });
    const ca = pem(cluster.root, "tls/nats-server-tls/ca.crt");
    const before = await handshake(port(cluster), { ca });
    // A certificate beside the key of another: a renewal that was read half way.
    const own = join(cluster.root, "tls/nats-server-tls/tls.crt");
    copyFileSync(join(cluster.root, "tls/other/tls.crt"), own);
    await reload(cluster, "Failed to reload server configuration");
    expect(before.fingerprint).toBeDefined();
    expect(await handshake(port(cluster), { ca })).toEqual(before);
  });
});
