/** Clients as they really are: with the files of their Secret, with passwords, with shared inboxes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, nkeyAuthenticator } from "nats";
import { describe, expect, test } from "vitest";
import { renderClient } from "../../src/clients/files.ts";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { renderAuth } from "../../src/nats/auth-template.ts";
import { circl, runNode, temporaryFolder } from "../cli/circl.ts";
import { lock, modelWith, realModel } from "../support/definitions.ts";
import { type Backbone, startBackbone } from "../support/identities.ts";
import { applyAll } from "../support/permission-suite.ts";
import { without } from "../support/tools.ts";

const example = /```js\n([\s\S]*?)```/.exec(
  readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8"),
)?.[1];

/** Writes what the service would mount, with the servers of this test in the place of the Service. */
function mount(folder: string, service: string, model: Model, { cluster, credentials }: Backbone): void {
  const identity = identities(model).find(({ name }) => name === service);
  if (!identity) throw new Error(`no identity ${service}`);
  const ca = readFileSync(cluster.target().tls?.ca ?? "", "utf8");
  const { "nats.json": settings = "", ...files } = renderClient(identity, model, {
    ...credentials.clients[service],
    ca,
  });
  const here = { ...JSON.parse(settings), servers: cluster.target().servers.map((server) => `tls://${server}`) };
  for (const [name, text] of Object.entries({ ...files, "nats.json": JSON.stringify(here) })) {
    writeFileSync(join(folder, name), text);
  }
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
  test("the example of docs/security.md runs with the files of its Secret and nothing else", async () => {
    const model = realModel("staging");
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const bff = await backbone.as("bff");
    await bff.jetstream().publish("circl.oms.command.cancel", "{}");
    await bff.close();
    using folder = temporaryFolder();
    mount(folder.path, "oms", model, backbone);
    const script = (example ?? "").replace("/etc/circl", folder.path);
    expect(script).toContain(folder.path);
    const { code, stdout, stderr } = await runNode(["--input-type=module", "--eval", script]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "stored in circl_oms\nhandled circl.oms.command.cancel\n",
      stderr: "",
    });
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
    expect(stdout).toContain("No changes. 16 unchanged.");
  });

  test("a password logs in where the environment says so, and nobody else does", async () => {
    const model = standalone({ passwords: ["oms"] });
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const oms = await backbone.as("oms");
    expect((await oms.jetstream().consumers.get("work", "oms-work")).info).toBeDefined();
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

  test("what the server does not check: where an answer or a fetched message is sent", async () => {
    const model = standalone({});
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const [bff, oms, geo] = [await backbone.as("bff"), await backbone.as("oms"), await backbone.as("geo")];
    bff.publish("work.sorted", "{}", { reply: "pay.forged" });
    await bff.flush();
    const consumer = await geo.jetstream().consumers.get("pay", "geo-pay");
    const next = async () => {
      const message = await consumer.next({ expires: 10_000 });
      return [message?.subject, message?.string()];
    };
    // The acknowledgement of a publish, under a subject that bff may not publish to: the body is the server's own.
    expect(await next()).toEqual(["pay.forged", '{"stream":"work","seq":1}']);
    oms.publish("$JS.API.CONSUMER.MSG.NEXT.work.oms-work", JSON.stringify({ batch: 1 }), { reply: "pay.diverted" });
    await oms.flush();
    expect(await next()).toEqual(["work.sorted", "{}"]);
    await Promise.all([bff, oms, geo].map((connection) => connection.close()));
  });

  // docs/decisions/0001-services-in-their-own-account.md closes this: the expectations turn round on that day.
  test("what the server does not check: an empty answer is a request, so who fetches or acknowledges can destroy", async () => {
    const model = standalone({});
    await using backbone = await startBackbone(model);
    await applyAll(backbone, model);
    const [bff, oms, sync] = [await backbone.as("bff"), await backbone.as("oms"), await backbone.as("stream-sync")];
    const monitor = await backbone.as("monitor");
    const destroyers: object[] = [];
    monitor.subscribe("$JS.EVENT.ADVISORY.API", {
      callback: (_, message) => {
        const { subject, client } = message.json<{ subject: string; client: object }>();
        if (/STREAM\.(PURGE|DELETE)/.test(subject)) destroyers.push(client);
      },
    });
    await monitor.flush();
    /** Messages of `pay`, which oms has no right to whatever; undefined where the stream is gone. */
    const left = async () => (await sync.request("$JS.API.STREAM.INFO.pay")).json<StreamState>().state?.messages;
    const dms = await backbone.as("dms");
    await dms.jetstream().publish("pay.made", "{}");
    const work = async () => (await oms.jetstream().consumers.get("work", "oms-work")).info();
    const fetch = (settings: object, reply: string) =>
      oms.publish("$JS.API.CONSUMER.MSG.NEXT.work.oms-work", JSON.stringify(settings), { reply });

    await expect(oms.request("$JS.API.STREAM.PURGE.pay", "", { timeout: 1_000 })).rejects.toThrow(/permissions/i);
    // The acknowledgement of a publish has a body, and no request of the server is of its form.
    bff.publish("work.sorted", "{}", { reply: "$JS.API.STREAM.PURGE.pay" });
    await bff.flush();
    const message = await oms.request("$JS.API.CONSUMER.MSG.NEXT.work.oms-work", JSON.stringify({ batch: 1 }), {
      // It comes under its own subject, not the inbox's.
      noMux: true,
      timeout: 10_000,
    });
    // A fetched message keeps its own subject, so it is no request wherever it is sent: "{}" would purge.
    bff.publish("work.sorted", "{}");
    await bff.flush();
    fetch({ batch: 1, expires: 10_000_000_000 }, "$JS.API.STREAM.PURGE.pay");
    await expect.poll(async () => (await work()).num_ack_pending, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => destroyers.length, { timeout: 20_000 }).toBe(1);
    expect(await left()).toBe(1);

    oms.publish(message.reply ?? "", "+ACK", { reply: "$JS.API.STREAM.PURGE.pay" });
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
    fetch({ batch: 1, expires: 300_000_000 }, "$JS.API.STREAM.DELETE.pay");
    await expect.poll(left, { timeout: 20_000 }).toBeUndefined();
    await expect.poll(() => destroyers.length, { timeout: 20_000 }).toBe(3);
    // Nobody of ours, as far as the audit knows.
    for (const client of destroyers) expect(client).toMatchObject({ kind: "JetStream", acc: "CIRCL" });
    for (const client of destroyers) expect(client).not.toHaveProperty("user");
    await Promise.all([bff, oms, dms, sync, monitor].map((connection) => connection.close()));
  });
});

interface StreamState {
  readonly state?: { readonly messages: number };
}
