/** Rotation, revocation and broken files on real servers, with a publisher and a consumer running. */
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import { realModel } from "../support/definitions.ts";
import { startLoad } from "../support/load.ts";
import type { RunningServer } from "../support/nats-server.ts";
import { reload, setAuth } from "../support/reload.ts";
import { without } from "../support/tools.ts";
import { startVault } from "../support/vault.ts";

const ROUTE = { subject: "circl.iot.status.updated", stream: "circl_iot", durable: "bff-iot" };

/** `name` with passwords for some. */
function modelOf(name: "local" | "staging", passwords: readonly string[] = []): Model {
  const model = realModel(name);
  const { nats } = model.environment;
  const clients = { ...nats.clients, passwords: [...passwords] };
  return { ...model, environment: { ...model.environment, nats: { ...nats, clients } } };
}

const digest = async ({ monitorPort }: RunningServer): Promise<{ config_digest: string; config_load_time: string }> =>
  (await fetch(`http://127.0.0.1:${monitorPort}/varz`)).json() as never;

describe.skipIf(without("nats-server", "test-ca"))("a rotation under load", { timeout: 300_000 }, () => {
  // iot publishes, bff consumes: once with an NKey and a password, once the other way round.
  test.each([
    ["three servers of staging, the publisher with a password", modelOf("staging", ["iot"])],
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

  test("a revoked key is out at once, and its connections with it", async () => {
    await using vault = await startVault(modelOf("local"));
    const thief = await vault.as("iot", { reconnect: false });
    const leaked = vault.documents.get("local-nats-client-iot") ?? "";
    await vault.run("revoke", "iot");
    await thief.closed();
    const fresh = vault.documents.get("local-nats-client-iot") ?? "";
    vault.documents.set("local-nats-client-iot", leaked);
    await expect(vault.as("iot", { reconnect: false })).rejects.toThrow(/authorization violation/i);
    vault.documents.set("local-nats-client-iot", fresh);
    await (await vault.as("iot")).close();
  });
});

describe.skipIf(without("nats-server", "test-ca"))("a broken auth.conf", () => {
  test.each([
    ["a broken text", "accounts { CIRCL { users: [ { nkey: "],
    ["an unknown field", 'accounts { CIRCL { users: [ { nkey: "x", limits: {} } ] } }'],
    // The server would take these two and let everybody in.
    ["an empty file", ""],
    ["a file that says nothing of users", "accounts {}"],
  ])("%s changes nothing, and log and /varz say so", async (_, text) => {
    await using vault = await startVault(modelOf("local"));
    const [server] = vault.cluster.servers;
    if (!server) throw new Error("no server");
    const load = startLoad(await vault.as("iot"), await vault.as("bff"), ROUTE);
    await load.more(20);
    const before = await digest(server);
    setAuth(vault.cluster, text);
    await reload(vault.cluster, "Failed to reload server configuration");
    expect((await digest(server)).config_load_time).toBe(before.config_load_time);
    await load.more(20);
    await (await vault.as("oms")).close();
    await expect(vault.cluster.connect({})).rejects.toThrow(/authorization violation/i);
    setAuth(vault.cluster, vault.auth());
    await reload(vault.cluster);
    expect((await digest(server)).config_load_time).not.toBe(before.config_load_time);
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
