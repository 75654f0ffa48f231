/** Clients as they really are: with the files of their Secret, with passwords, with shared inboxes. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AckPolicy, connect, nkeyAuthenticator } from "nats";
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { renderAuth } from "../../src/nats/auth-template.ts";
import { circl, runNode, runProgram } from "../cli/circl.ts";
import { lock, modelWith, realModel } from "../support/definitions.ts";
import { runExample, SAID } from "../support/examples.ts";
import { startBackbone } from "../support/identities.ts";
import { startLoad } from "../support/load.ts";
import { Cluster, type RunningServer } from "../support/nats-server.ts";
import { applyAll } from "../support/permission-suite.ts";
import { without } from "../support/tools.ts";

// Python's client is in no registry that the pipeline uses.
const pythonLacks = spawnSync("python3", ["-c", "import nats, nkeys"], { encoding: "utf8" });
if (pythonLacks.status !== 0) {
  const reason = pythonLacks.error?.message ?? pythonLacks.stderr.trim().split("\n").at(-1);
  process.stderr.write(`\nMISSING nats-py and nkeys: the example in Python is not run\n${reason}\n\n`);
}

/** Small streams on one server without TLS. */
const standalone = (
  clients: { inboxes?: "shared"; passwords?: string[] },
  streams: readonly StreamInput[] = STREAMS,
): Model =>
  modelWith({
    environment: { development: true, certificates: "none", nats: { servers: 1, tls: false, clients } },
    streams,
  });

const internal = { sensitivity: "internal" } as const;
const stream = { maxBytes: "1MiB", publishers: [] } as const;
const STREAMS = [
  {
    ...stream,
    name: "work",
    subjects: ["work.>"],
    publishers: [{ service: "bff", subject: "work.>", data: internal }],
    consumers: [{ name: "oms-work", service: "oms", ackPolicy: "explicit" }],
  },
  {
    ...stream,
    name: "pay",
    subjects: ["pay.>"],
    publishers: [{ service: "dms", subject: "pay.>", data: internal }],
    consumers: [{ name: "geo-pay", service: "geo", ackPolicy: "explicit" }],
  },
  lock,
] as const;

describe.skipIf(without("nats-server", "test-ca", "secret-template"))("clients of a real server", () => {
  test("the example in Node of docs/security.md runs with the files of its Secret and nothing else", async () => {
    const outcome = await runExample("js", (script) => runNode(["--input-type=module", "--eval", script]));
    expect(outcome).toEqual({ code: 0, stdout: SAID, stderr: "" });
  });

  test.skipIf(pythonLacks.status !== 0)("and so does the one in Python", async () => {
    // Not a word of what is on stderr: asyncio of Python 3.11 warns there of every TLS connection that ends.
    const outcome = await runExample("python", (script) => runProgram("python3", ["-c", script]));
    expect(outcome).toMatchObject({ code: 0, stdout: SAID });
  });

  test("circl plan takes the key of stream-plan and its inbox, and says so where the inbox is forgotten", async () => {
    const model = realModel("local");
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const { servers, nkeyFile = "", inboxPrefix = "" } = backbone.target("stream-plan");
    const plan = ["plan", "local", "--server", servers.join(","), "--nkey", nkeyFile];
    const forgotten = await circl(plan);
    expect(forgotten).toMatchObject({ code: 1, stdout: "" });
    expect(forgotten.stderr).toMatch(
      /this user may not subscribe to "_INBOX\.\S+"\. Its inbox is private: add --inbox-prefix _INBOX_<identity>/,
    );
    const { code, stdout } = await circl([...plan, "--inbox-prefix", inboxPrefix]);
    expect(code).toBe(0);
    expect(stdout).toContain("No changes. 17 unchanged.");
  });

  test("a password logs in where the environment says so, and nobody else does", async () => {
    const model = standalone({ passwords: ["oms"] });
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const [bff, oms] = [await backbone.as("bff"), await backbone.as("oms")];
    await bff.jetstream().publish("work.sorted", "by whom it shall be");
    const message = await (await oms.jetstream().consumers.get("work", "oms-work")).next({ expires: 10_000 });
    expect(message?.string()).toBe("by whom it shall be");
    await bff.close();
    await expect(backbone.cluster.connect({ user: "oms", pass: "wrong" })).rejects.toThrow(/authorization/i);
    await expect(backbone.cluster.connect({ user: "bff", pass: "loopback-only-bff" })).rejects.toThrow(
      /authorization/i,
    );
    await expect(backbone.cluster.connect({})).rejects.toThrow(/authorization/i);
    await using other = await startBackbone(model);
    const { servers } = backbone.cluster.target();
    const { nkeyFile = "" } = other.target("bff");
    const stranger = nkeyAuthenticator(readFileSync(nkeyFile));
    await expect(connect({ servers: [...servers], authenticator: stranger, maxReconnectAttempts: 0 })).rejects.toThrow(
      /authorization/i,
    );
    await oms.close();
  });

  test("a right that is granted or taken holds after a reload, without a restart", async () => {
    const model = standalone({});
    const [work, pay] = STREAMS;
    const granted = standalone({}, [
      { ...work, publishers: [...work.publishers, { service: "dms", subject: "work.>", data: internal }] },
      pay,
      lock,
    ]);
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const { documents } = backbone.credentials;
    const [server] = backbone.cluster.servers;
    const dms = await backbone.as("dms");
    const publishes = (subject: string) =>
      dms
        .jetstream()
        .publish(subject, "{}")
        .then(
          ({ stream: name }) => name,
          ({ code }) => code,
        );
    const reload = (now: Model) => {
      writeFileSync(join(server?.root ?? "", "etc/nats-auth/auth.conf"), renderAuth(now, documents));
      server?.process.kill("SIGHUP");
    };
    expect(await publishes("work.sorted")).toBe("PERMISSIONS_VIOLATION");
    reload(granted);
    await expect.poll(() => publishes("work.sorted"), { timeout: 20_000 }).toBe("work");
    reload(model);
    await expect.poll(() => publishes("work.sorted"), { timeout: 20_000 }).toBe("PERMISSIONS_VIOLATION");
    expect(server?.log()).not.toContain("Failed to reload");
    await dms.close();
  });

  test("with shared inboxes clients work that set no prefix", async () => {
    const model = standalone({ inboxes: "shared" });
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const bff = await backbone.as("bff");
    expect((await bff.jetstream().publish("work.sorted", "{}")).stream).toBe("work");
    const oms = await backbone.as("oms");
    const message = await (await oms.jetstream().consumers.get("work", "oms-work")).next({ expires: 10_000 });
    expect(await message?.ackAck()).toBe(true);
    await Promise.all([bff.close(), oms.close()]);
  });

  test("a client that leaks subscriptions is stopped at a thousand, and nobody else is", async () => {
    const model = standalone({});
    await using backbone = await startBackbone(model);
    const [leaking, other] = [await backbone.as("oms"), await backbone.as("bff")];
    const refused: string[] = [];
    (async () => {
      for await (const { type, data } of leaking.status()) if (type === "error") refused.push(String(data));
    })();
    for (let i = 0; i < 1_001; i++) leaking.subscribe(`_INBOX_oms.${i}`, { callback: () => {} });
    await leaking.flush();
    await expect.poll(() => refused.length, { timeout: 20_000 }).toBe(1);
    other.subscribe("_INBOX_bff.answer", { callback: () => {} });
    await other.flush();
    expect([leaking.isClosed(), other.isClosed()]).toEqual([false, false]);
    await Promise.all([leaking.close(), other.close()]);
  });

  test("an answer or a fetched message that is sent to a subject of others does not arrive there", async () => {
    const model = standalone({});
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const [bff, oms, dms] = [await backbone.as("bff"), await backbone.as("oms"), await backbone.as("dms")];
    bff.publish("work.sorted", "{}", { reply: "pay.forged" });
    await bff.flush();
    oms.publish("$JS.API.CONSUMER.MSG.NEXT.work.oms-work", JSON.stringify({ batch: 1 }), { reply: "pay.diverted" });
    await oms.flush();
    // The server finds nobody there who would take it, and keeps it for the next fetch.
    const message = await (await oms.jetstream().consumers.get("work", "oms-work")).next({ expires: 10_000 });
    expect([message?.subject, message?.info.redeliveryCount]).toEqual(["work.sorted", 1]);
    expect(await dms.jetstream().publish("pay.made", "{}")).toMatchObject({ stream: "pay", seq: 1 });
    await Promise.all([bff, oms, dms].map((connection) => connection.close()));
  });

  // docs/decisions/0001-services-in-their-own-account.md: were this not so any more, one account would do.
  test("why accounts: in that of the streams an empty answer is a request, whatever permissions say", async () => {
    const model = standalone({});
    const taker = `{ user: "taker", password: "loopback-only", permissions: {
      publish: "$JS.API.CONSUMER.MSG.NEXT.work.oms-work", subscribe: "_INBOX.>" } }`;
    const sync = '{ user: "sync", password: "loopback-only" }';
    const auth = `accounts {
      SYS { users: [ { user: "sys", password: "loopback-only" } ] }
      CIRCL { jetstream: enabled, users: [ ${sync}, ${taker} ] } }
      SYSTEM_ACCOUNT: SYS\n`;
    await using cluster = await Cluster.start(model, { auth });
    const admin = await cluster.connect();
    const manager = await admin.jetstreamManager();
    for (const name of ["work", "pay"]) await manager.streams.add({ name });
    await manager.consumers.add("work", { durable_name: "oms-work", ack_policy: AckPolicy.Explicit });
    const thief = await cluster.connect({ user: "taker", pass: "loopback-only" });
    await expect(thief.request("$JS.API.STREAM.DELETE.pay", "", { timeout: 1_000 })).rejects.toThrow(/permissions/i);
    const reply = "$JS.API.STREAM.DELETE.pay";
    thief.publish("$JS.API.CONSUMER.MSG.NEXT.work.oms-work", JSON.stringify({ batch: 1, no_wait: true }), { reply });
    const names = async () => (await manager.streams.names().next()).sort();
    await expect.poll(names, { timeout: 20_000 }).toEqual(["work"]);
    await Promise.all([admin, thief].map((connection) => connection.close()));
  });

  test("services that move into their accounts, server by server, are cut off once and lose nothing", async () => {
    const model = realModel("staging");
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const { servers } = backbone.cluster;
    const fileOf = ({ root }: RunningServer) => join(root, "etc/nats-auth/auth.conf");
    const apart = readFileSync(servers.map(fileOf)[0] ?? "", "utf8");
    const patient = { maxReconnectAttempts: -1, reconnectTimeWait: 50 };
    const route = { subject: "circl.iot.status.updated", stream: "circl_iot", durable: "bff-iot" };
    const load = startLoad(await backbone.as("iot", patient), await backbone.as("bff", patient), route);
    await load.more(100);
    for (const text of [together(apart, ["iot", "bff"]), apart]) {
      for (const server of servers) {
        const reloads = () => server.log().match(/Reloaded server configuration/g)?.length ?? 0;
        const before = reloads();
        writeFileSync(fileOf(server), text);
        server.process.kill("SIGHUP");
        await expect.poll(reloads, { timeout: 20_000 }).toBe(before + 1);
        await load.more(50);
      }
      const accounts = (await Promise.all(servers.map(accountsAt))).flat();
      expect([...new Set(accounts)].sort()).toEqual(text === apart ? ["bff", "iot"] : ["CIRCL"]);
    }
    expect(await load.stop()).toMatchObject({ failed: [], lost: [] });
  });
});

/** auth.conf as it was before: the users of `names` in the account with the streams. */
function together(text: string, names: readonly string[]): string {
  const users = names.map((name) =>
    new RegExp(`"${name}" \\{[\\s\\S]*?users: \\[([\\s\\S]*?)\\n {4}\\]\\n {2}\\}\\n`).exec(text),
  );
  const without = users.reduce((rest, found) => rest.replace(found?.[1] ?? "", ""), text);
  return without.replace(/("CIRCL" \{[\s\S]*?users: \[)/, `$1${users.map((found) => found?.[1]).join("")}`);
}

/** The account of each connection. */
async function accountsAt({ monitorPort }: RunningServer): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/connz?auth=true`);
  const { connections } = (await answer.json()) as { connections: { account: string }[] };
  return connections.map(({ account }) => account);
}
