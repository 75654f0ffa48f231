/** `circl identity` against real servers: what is handed out is known to all of them, and what has ended is refused by all. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { connect, nkeyAuthenticator } from "nats";
import { describe, expect, test } from "vitest";
import { serversToAsk, untilEnded } from "../../src/cli/identity-proof.ts";
import { heldByClients, holders, prepare } from "../../src/identity/keeper.ts";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import { renderAuth } from "../../src/nats/auth-template.ts";
import { circl, root, temporaryFolder } from "../cli/circl.ts";
import { realModel } from "../support/definitions.ts";
import { memoryStore } from "../support/memory-store.ts";
import { Cluster } from "../support/nats-server.ts";
import { reload, replaceFile, setAuth } from "../support/reload.ts";
import { without } from "../support/tools.ts";
import { startVault } from "../support/vault.ts";

/** Documents of all identities in a folder, and servers that know them. */
async function startSite(model: Model) {
  const folder = temporaryFolder();
  const { name } = model.environment;
  const store = ["--store", join(folder.path, "store")];
  const document = (half: "identity" | "client", of: string) =>
    readFileSync(join(folder.path, "store", `${name}-nats-${half}-${of}.json`), "utf8");
  await circl(["identity", "create", name, ...store]);
  const auth = () =>
    renderAuth(
      model,
      Object.fromEntries(identities(model).map((who) => [who.name, JSON.parse(document("identity", who.name))])),
    );
  const cluster = await Cluster.start(model, { auth: auth() });
  // As the PushSecret puts it there.
  copyFileSync(cluster.target().tls?.ca ?? "", join(folder.path, "store", `${name}-nats-ca.json`));
  const take = async (indices: readonly number[]) => {
    for (const index of indices)
      replaceFile(join(cluster.servers[index]?.root ?? "", "etc/nats-auth/auth.conf"), auth());
    await reload(cluster);
  };
  return {
    cluster,
    store,
    document,
    take,
    servers: ["--server", cluster.servers.map(({ clientPort }) => `127.0.0.1:${clientPort}`).join(",")],
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly command: ChildProcess; readonly said: () => string } {
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const command = spawn(process.execPath, [join(root, "bin/circl"), ...args], {
    stdio: [...stdio],
    env: { ...process.env, ...env },
  });
  let said = "";
  command.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  return { command, said: () => said };
}

describe.skipIf(without("nats-server", "test-ca"))("a rotation asks the servers", { timeout: 180_000 }, () => {
  test.each(["staging", "production"] as const)(
    "of %s: while one does not know the key, clients have what they had",
    async (name) => {
      await using site = await startSite(realModel(name));
      const held = site.document("client", "oms");
      const rotate = ["identity", "rotate", name, "oms", ...site.store, ...site.servers, "--wait", "150s"];
      const { command, said } = start(rotate);
      const ended = once(command, "exit");
      await expect.poll(() => JSON.parse(site.document("identity", "oms")).previous, { timeout: 60_000 }).not.toBe("");
      await site.take([0, 1]);
      // The last one says no twice more: at least the second time the others had said yes before.
      const last = site.cluster.servers[2];
      const refusals = () => (last?.log().split("authentication error").length ?? 0) - 1;
      const before = refusals();
      await expect.poll(refusals, { timeout: 140_000 }).toBeGreaterThanOrEqual(before + 2);
      expect(site.document("client", "oms")).toBe(held);
      await site.take([2]);
      expect(await ended).toEqual([0, null]);
      expect(site.document("client", "oms")).not.toBe(held);
      expect(said()).toContain(`127.0.0.1:${last?.clientPort}: every server takes the new credentials.`);
    },
  );

  test("and gives up where one never learns of it: nothing is handed out, and it says which", async () => {
    await using site = await startSite(realModel("staging"));
    const held = site.document("client", "oms");
    const rotate = ["identity", "rotate", "staging", "oms", ...site.store, ...site.servers];
    const { code, stdout, stderr } = await circl([...rotate, "--wait", "1s"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    for (const { clientPort } of site.cluster.servers)
      expect(stderr).toContain(`- 127.0.0.1:${clientPort} refuses oms\n`);
    expect(stderr).toContain("Clients keep what they have: after 1s");
    expect(stderr).toContain("kubectl -n circl-backbone describe externalsecret nats-auth");
    expect(site.document("client", "oms")).toBe(held);
    const known = site.document("identity", "oms");
    await site.cluster.servers[1]?.process.kill();
    const unreachable = await circl([...rotate, "--wait", "1s"]);
    expect(unreachable).toMatchObject({ code: 1, stdout: "" });
    expect(unreachable.stderr).toMatch(
      /Nothing was written: not every server can be asked\.\n- 127\.0\.0\.1:\d+: .*nobody listens/,
    );
    expect(site.document("identity", "oms")).toBe(known);
  });

  test("through the pods of a cluster, by the name in their certificates and the authority that the store has", async () => {
    await using site = await startSite(realModel("staging"));
    using folder = temporaryFolder();
    // Where the servers listen now: who starts again has another port for its monitoring.
    const writeKubectl = () => {
      const ports = site.cluster.servers.flatMap(({ clientPort, monitorPort }, i) => [
        [`pod/nats-${i} :4222`, clientPort],
        [`pod/nats-${i} :8222`, monitorPort],
      ]);
      const kubectl = `#!${process.execPath}
const port = ${JSON.stringify(Object.fromEntries(ports))}[process.argv.slice(-2).join(" ")];
process.stdout.write("Forwarding from 127.0.0.1:" + port + " -> 0\\n");
setTimeout(() => {}, 60_000);
`;
      writeFileSync(join(folder.path, "kubectl"), kubectl, { mode: 0o755 });
    };
    writeKubectl();
    const env = { PATH: `${folder.path}${delimiter}${process.env.PATH}` };
    const rotate = ["identity", "rotate", "staging", "oms", ...site.store, "--kubectl", "gke-staging", "--wait", "1s"];
    const seed = JSON.parse(site.document("client", "oms")).seed;
    const { code, stderr } = await circl(rotate, { env });
    expect(code).toBe(1);
    expect(stderr).toContain("- nats-0 refuses oms\n- nats-1 refuses oms\n- nats-2 refuses oms\n");
    const again = start([...rotate.slice(0, -1), "100s"], env);
    const ended = once(again.command, "exit");
    await expect.poll(again.said, { timeout: 60_000 }).toContain("Asking nats-0, nats-1, nats-2");
    await site.take([0, 1, 2]);
    expect(await ended).toEqual([0, null]);
    expect(again.said()).toContain("nats-0, nats-1, nats-2: every server takes the new credentials.");
    const finish = ["identity", "finish", "staging", "oms", ...site.store, "--kubectl", "gke-staging"];
    const meanwhile = async () => {
      const { code, stderr } = await circl(finish, { env });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: Nothing was finished: .*\n- nats-1: .*\nDid auth.conf arrive/);
    };
    await site.cluster.restart(1, { meanwhile });
    writeKubectl();

    // Who came with the previous one, and one who has moved.
    const { servers, tls } = site.cluster.target();
    const enter = (key: string, name: string) => {
      const authenticator = nkeyAuthenticator(Buffer.from(key));
      return connect({ servers: [...servers], name, authenticator, tls: { caFile: tls?.ca ?? "" } });
    };
    const late = await enter(seed, "oms\u001b[2J-late");
    const moved = await enter(JSON.parse(site.document("client", "oms")).seed, "oms-moved");
    const rotated = site.document("identity", "oms");
    const blocked = await circl(finish, { env });
    expect(blocked).toMatchObject({ code: 3, stdout: "" });
    expect(blocked.stderr).toMatch(
      /^Nothing was finished: these are in with the previous credential, and would be cut off\.\n- oms: oms\S+-late from 127\.0\.0\.1:\d+ at nats-\d\nRestart them/,
    );
    expect(blocked.stderr).not.toContain("moved");
    expect(blocked.stderr).not.toContain("\u001b");
    expect(site.document("identity", "oms")).toBe(rotated);
    await late.close();
    expect(await circl(finish, { env })).toMatchObject({ code: 0 });
    await moved.close();
  });
});

describe.skipIf(without("nats-server", "test-ca"))("an end asks the servers", { timeout: 240_000 }, () => {
  test("of a rotation: nothing is finished while one does not take what clients have", async () => {
    await using site = await startSite(realModel("staging"));
    const known = () => JSON.parse(site.document("identity", "oms"));
    expect(await circl(["identity", "rotate", "staging", "oms", ...site.store])).toMatchObject({ code: 0 });
    const rotated = known();
    const finish = ["identity", "finish", "staging", "oms", ...site.store, ...site.servers];
    const refusing = async (indices: readonly number[]) => {
      const { code, stdout, stderr } = await circl(finish);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      const servers = indices.map((index) => `- 127.0.0.1:${site.cluster.servers[index]?.clientPort} refuses oms\n`);
      expect(stderr).toContain(
        `Nothing was finished: not every server takes what clients have now.\n${servers.join("")}Did auth.conf arrive`,
      );
      expect(known()).toEqual(rotated);
    };
    await refusing([0, 1, 2]);
    await site.take([0, 1]);
    await refusing([2]);
    await site.take([2]);
    expect(await circl(finish)).toMatchObject({ code: 0, stdout: "+  oms  finished: the previous credential ends\n" });
    expect(known()).toEqual({ current: rotated.current, previous: "" });
  });

  test("of a key that has leaked: it is over when the last one refuses it, and one that is away stops no revoke", async () => {
    await using site = await startSite(realModel("staging"));
    const { servers } = site.cluster;
    const at = (index: number) => `127.0.0.1:${servers[index]?.clientPort}`;
    const revoke = ["identity", "revoke", "staging", "oms", ...site.store, ...site.servers, "--auto-approve"];
    const open = await circl([...revoke, "--wait", "1s"]);
    expect(open).toMatchObject({ code: 1, stdout: expect.stringMatching(/^\+ {2}oms {2}revoked: /) });
    for (const index of [0, 1, 2])
      expect(open.stderr).toContain(`- ${at(index)} refuses oms\n- ${at(index)} still takes oms\n`);
    expect(open.stderr).toContain("The store has it, but after 1s not every server has followed.\n");
    await site.take([0, 1, 2]);

    const { command, said } = start([...revoke, "--wait", "200s"]);
    const ended = once(command, "exit");
    await expect.poll(said, { timeout: 60_000 }).toContain(`Asking ${at(0)}, ${at(1)}, ${at(2)} until each`);
    await site.take([0, 1]);
    const refusals = () => (servers[2]?.log().split("authentication error").length ?? 0) - 1;
    const before = refusals();
    await expect.poll(refusals, { timeout: 140_000 }).toBeGreaterThanOrEqual(before + 2);
    expect(command.exitCode).toBe(null);
    await site.take([2]);
    expect(await ended).toEqual([0, null]);
    expect(said()).toContain(`${at(2)}: every server refuses what oms had.\n`);

    await servers[1]?.process.kill();
    const away = await circl([...revoke, "--without-new", "--wait", "1s"]);
    expect(away).toMatchObject({ code: 1, stdout: "+  oms  revoked: every credential ends\n" });
    expect(away.stderr).toContain(`- ${at(0)} still takes oms\n- ${at(1)}: `);
    expect(JSON.parse(site.document("identity", "oms"))).toEqual({ current: "", previous: "" });
  });

  test("of a client on its way from a password to an NKey: neither may get in", async () => {
    const real = realModel("local");
    const { nats } = real.environment;
    const clients = { ...nats.clients, passwords: ["oms"] };
    const model = { ...real, environment: { ...real.environment, nats: { ...nats, clients } } };
    await using vault = await startVault(model);
    const store = memoryStore(vault.documents);
    const who = holders(model).filter(({ name }) => name === "oms");
    await vault.run("move", "oms");
    const prepared = await prepare("withdraw", model, who, store);
    const held = await heldByClients(prepared, model.environment, store);
    const server = `127.0.0.1:${vault.cluster.servers[0]?.clientPort}`;
    const servers = (await serversToAsk({ server }, model.environment, store)) ?? [];
    const ended = () => untilEnded(servers, held, prepared, 0, model.environment);
    await expect(ended()).rejects.toThrow(`- ${server} still takes oms\n`);
    // The NKey alone is gone: its password still opens the door.
    const id = "local-nats-identity-oms";
    const { previousUser, previous } = JSON.parse(vault.documents.get(id) ?? "{}");
    vault.documents.set(
      id,
      JSON.stringify({ currentUser: previousUser, current: previous, previousUser: "", previous: "" }),
    );
    setAuth(vault.cluster, vault.auth());
    await reload(vault.cluster);
    await expect(ended()).rejects.toThrow(`- ${server} still takes oms\n`);
    await vault.run("withdraw", "oms");
    await ended();
  });
});
