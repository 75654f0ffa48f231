/** Rotation, revocation and broken files on real servers, with a publisher and a consumer running. */
import { describe, expect, test } from "vitest";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { renderedAuth } from "../support/identities.ts";
import { startLoad } from "../support/load.ts";
import type { RunningServer } from "../support/nats-server.ts";
import { reload, setAuth } from "../support/reload.ts";
import { without } from "../support/tools.ts";
import { startVault } from "../support/vault.ts";

const BOTH = ["staging", "production"] as const;
const ROUTE = { subject: "circl.iot.status.updated", stream: "circl_iot", durable: "bff-iot" };

/** `name` with passwords for some. */
function modelOf(name: "local" | "staging" | "production", passwords: readonly string[] = []): Model {
  const model = realModel(name);
  const { nats } = model.environment;
  const clients = { ...nats.clients, passwords: [...passwords] };
  return { ...model, environment: { ...model.environment, nats: { ...nats, clients } } };
}

const digest = async ({ monitorPort }: RunningServer): Promise<{ config_load_time: string }> =>
  (await fetch(`http://127.0.0.1:${monitorPort}/varz`)).json() as never;

describe.skipIf(without("nats-server", "test-ca"))("a rotation under load", { timeout: 300_000 }, () => {
  // iot publishes, bff consumes: once with an NKey and a password, once the other way round.
  test.each([
    ["three servers of staging, the publisher with a password", modelOf("staging", ["iot"])],
    ["three servers of production, the consumer with a password", modelOf("production", ["bff"])],
    ["one server, the consumer with a password", modelOf("local", ["bff"])],
  ])("loses nothing: %s", async (_, model) => {
    await using vault = await startVault(model);
    const load = startLoad(await vault.as("iot"), await vault.as("bff"), ROUTE);
    for (let round = 0; round < 2; round++) {
      await load.more(100);
      await vault.run("rotate", "iot", "bff");
      await load.more(100);
      await load.moveTo(await vault.as("iot"), await vault.as("bff"));
      await load.more(100);
      await vault.run("finish", "iot", "bff");
      await load.more(100);
    }
    const outcome = await load.stop();
    expect(outcome).toMatchObject({ failed: [], lost: [] });
    expect(outcome.published).toBeGreaterThanOrEqual(800);
  });

  test("leaves connections alone at rotate, and cuts off at finish who has not moved", async () => {
    await using vault = await startVault(modelOf("local", ["oms"]));
    for (const name of ["iot", "oms"]) {
      const former = await vault.as(name, { reconnect: false });
      await vault.run("rotate", name);
      await former.flush();
      await vault.run("finish", name);
      await former.closed();
      await (await vault.as(name)).close();
    }
  });

  test.skipIf(without("secret-template"))(
    "takes a client from its password to an NKey: both work until finish",
    async () => {
      const [model, apart] = [modelOf("staging", ["oms"]), modelOf("staging")];
      await using vault = await startVault(model);
      const { user, password: pass } = JSON.parse(vault.documents.get("staging-nats-client-oms") ?? "{}");
      const withPassword = () => vault.as("oms", { reconnect: false, authenticator: [], user, pass });
      const held = await withPassword();
      await vault.run("move", "oms");
      await held.flush();
      await (await withPassword()).close();
      await (await vault.as("oms", { reconnect: false })).close();
      await vault.run("finish", "oms");
      await held.closed();
      await expect(withPassword()).rejects.toThrow(/authorization violation/i);
      await (await vault.as("oms", { reconnect: false })).close();
      // The environment says it afterwards, and servers get the same file: nothing is reloaded.
      const documents = Object.fromEntries(
        identities(model).map(({ name }) => [
          name,
          JSON.parse(vault.documents.get(`staging-nats-identity-${name}`) ?? "{}"),
        ]),
      );
      for (const said of [model, apart]) expect(renderedAuth(said, documents)).toBe(vault.auth());
    },
  );

  test("can be watched: /connz says who still uses the previous credential", async () => {
    await using vault = await startVault(modelOf("local", ["oms"]));
    const [server] = vault.cluster.servers;
    const users = async () => {
      const answer = await fetch(`http://127.0.0.1:${server?.monitorPort}/connz?auth=true`);
      const { connections } = (await answer.json()) as { connections: { authorized_user?: string; nkey?: string }[] };
      return connections.map(({ authorized_user, nkey }) => nkey ?? authorized_user).sort();
    };
    const known = (name: string) => JSON.parse(vault.documents.get(`local-nats-identity-${name}`) ?? "{}");
    const held = [await vault.as("iot"), await vault.as("oms")];
    const before = [known("iot").current, known("oms").currentUser];
    await vault.run("rotate", "iot", "oms");
    held.push(await vault.as("iot"), await vault.as("oms"));
    expect([known("iot").previous, known("oms").previousUser]).toEqual(before);
    expect(await users()).toEqual([...before, known("iot").current, known("oms").currentUser].sort());
    await Promise.all(held.map((connection) => connection.close()));
  });

  test.each(BOTH)(
    "of %s: a revoked key is out everywhere after a reload, and its connections with it",
    async (name) => {
      await using vault = await startVault(modelOf(name));
      const { servers } = vault.cluster;
      const at = ({ clientPort }: RunningServer) =>
        vault.as("iot", { reconnect: false, servers: [`127.0.0.1:${clientPort}`] });
      const thieves = await Promise.all(servers.map(at));
      const id = `${name}-nats-client-iot`;
      const leaked = vault.documents.get(id) ?? "";
      await vault.run("revoke", "iot");
      await Promise.all(thieves.map((thief) => thief.closed()));
      const fresh = vault.documents.get(id) ?? "";
      vault.documents.set(id, leaked);
      for (const server of servers) await expect(at(server)).rejects.toThrow(/authorization violation/i);
      vault.documents.set(id, fresh);
      for (const server of servers) await (await at(server)).close();
    },
  );
});

describe.skipIf(without("nats-server", "test-ca"))("a broken auth.conf", { timeout: 300_000 }, () => {
  test.each(BOTH)("of %s changes nothing, and log and /varz say so", async (name) => {
    await using vault = await startVault(modelOf(name));
    const load = startLoad(await vault.as("iot"), await vault.as("bff"), ROUTE);
    await load.more(20);
    const loaded = async () =>
      Promise.all(vault.cluster.servers.map(async (server) => (await digest(server)).config_load_time));
    const before = await loaded();
    for (const text of [
      "accounts { CIRCL { users: [ { nkey: ",
      'accounts { CIRCL { users: [ { nkey: "x", limits: {} } ] } }',
      // The server would take these two and let everybody in.
      "",
      "accounts {}",
    ]) {
      setAuth(vault.cluster, text);
      await reload(vault.cluster, "Failed to reload server configuration");
      expect({ text, loaded: await loaded() }).toEqual({ text, loaded: before });
      await load.more(20);
      await (await vault.as("oms")).close();
      await expect(vault.cluster.connect({})).rejects.toThrow(/authorization violation/i);
    }
    setAuth(vault.cluster, vault.auth());
    await reload(vault.cluster);
    for (const [i, time] of (await loaded()).entries()) expect(time).not.toBe(before[i]);
    expect(await load.stop()).toMatchObject({ failed: [], lost: [] });
  });

  test("that is cut off anywhere starts nothing and opens nothing", async () => {
    await using vault = await startVault(modelOf("local"));
    const whole = vault.auth();
    const [server] = vault.cluster.servers;
    if (!server) throw new Error("no server");
    for (const part of [0.25, 0.5, 0.9, 0.999]) {
      setAuth(vault.cluster, whole.slice(0, Math.floor(whole.length * part)));
      await reload(vault.cluster, "Failed to reload server configuration");
      await expect(vault.cluster.connect({})).rejects.toThrow(/authorization violation/i);
    }
    await expect(vault.cluster.restart(0)).rejects.toThrow(/nats-server exited with 1/);
  });

  test("does not say a hash or a seed in the log", async () => {
    await using vault = await startVault(modelOf("local", ["oms"]));
    const hash = JSON.parse(vault.documents.get("local-nats-identity-oms") ?? "{}").current as string;
    const key = JSON.parse(vault.documents.get("local-nats-identity-iot") ?? "{}").current as string;
    const { seed } = JSON.parse(vault.documents.get("local-nats-client-iot") ?? "{}") as { seed: string };
    const whole = vault.auth();
    const broken = [
      whole.slice(0, whole.indexOf(hash) + 20),
      whole.replace(`password: "${hash}"`, `pasword: "${hash}"`),
      whole.replace(`"${hash}"`, `"${hash}" "${hash}"`),
      whole.replace(key, seed),
    ];
    const logs = () => vault.cluster.servers.map(({ log }) => log()).join("");
    const fails = async (text: string) => {
      expect(text).not.toBe(whole);
      setAuth(vault.cluster, text);
      await reload(vault.cluster, "Failed to reload server configuration");
    };
    for (const text of broken) await fails(text);
    for (const secret of [hash.slice(0, 20), seed]) expect(logs()).not.toContain(secret);
    // It does name a field that it does not know: what must never stand there is what templates quote as a value.
    await fails(whole.replace(`password: "${hash}"`, `"${hash}": ""`));
    expect(logs()).toContain(hash);
  });
});
