/** What every version of the server must hold to: who may do what, and that everybody can do their work with no more than that. */
import { consumerOpts, type NatsConnection } from "nats";
import { expect, test } from "vitest";
import { openReader, openWriter } from "../../src/connect/nats.ts";
import { apply } from "../../src/jetstream/apply.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { identities } from "../../src/model/identity.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { covers } from "../../src/model/subject.ts";
import { type Grant, permissionsOf } from "../../src/nats/permissions.ts";
import { policy } from "../../src/rules/changes.ts";
import { circl } from "../cli/circl.ts";
import { lock, modelWith, stores } from "./definitions.ts";
import { type Backbone, startBackbone } from "./identities.ts";
import { EVERYBODY, PUBLISH, SUBSCRIBE } from "./permission-table.ts";

interface Kind {
  readonly binary: () => string;
  readonly model: Model;
}

export function permissionSuite({ binary, model }: Kind): void {
  test("every identity may do what the table says, and is refused everything else in it", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    for (const name of EVERYBODY) {
      const connection = await backbone.as(name);
      const refused = await refusals(connection);
      const may = (rows: typeof PUBLISH) => rows.filter(([, who]) => who.includes(name)).map(([subject]) => subject);
      const done = (rows: typeof PUBLISH, how: string) =>
        rows.map(([subject]) => subject).filter((subject) => !refused.has(`${how} ${subject}`));
      expect({ name, publishes: done(PUBLISH, "publish"), hears: done(SUBSCRIBE, "subscription") }).toEqual({
        name,
        publishes: may(PUBLISH),
        hears: may(SUBSCRIBE),
      });
      await connection.close();
    }
  });

  test("the table leaves no grant out", () => {
    expect(identities(model).map(({ name }) => name)).toEqual([...EVERYBODY].sort());
    const unchecked = identities(model).flatMap((identity) => {
      const left = (grants: readonly Grant[], rows: typeof PUBLISH) =>
        grants.filter(
          ({ subject: granted }) =>
            !rows.some(([subject, who]) => who.includes(identity.name) && covers(granted, subject)),
        );
      const { publish, subscribe } = permissionsOf(identity, model);
      return [...left(publish, PUBLISH), ...left(subscribe, SUBSCRIBE)].map(({ subject }) => [identity.name, subject]);
    });
    expect(unchecked).toEqual([]);
  });

  test("stream-plan plans and cannot write; stream-sync applies; services publish, fetch and acknowledge", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    {
      const target = backbone.target("stream-plan");
      await using reader = await openReader(target);
      expect((await plan(model, reader, policy, Date.now() * 1e6, { deletions: [] })).summary).toMatchObject({
        create: 0,
        update: 0,
      });
      await using writer = await openWriter({ ...target, timeout: 500 });
      await expect(writer.write("STREAM.DELETE", ["circl_dlq"])).rejects.toThrow(/this user may not publish/);
    }
    for (const stream of model.streams) {
      for (const { service, subject } of stream.publishers.filter((publisher) =>
        EVERYBODY.includes(publisher.service),
      )) {
        if (service === "stream-sync") continue;
        const connection = await backbone.as(service);
        const ack = await connection.jetstream().publish(subject.replace(/>$/, "checked.once"), "{}");
        expect(ack.stream).toBe(stream.name);
        await connection.close();
      }
    }
    for (const stream of model.streams) {
      for (const { name, service } of stream.consumers) {
        const connection = await backbone.as(service);
        const consumer = await connection.jetstream().consumers.get(stream.name, name);
        const message = await consumer.next({ expires: 10_000 });
        // Waits for the server's word that it took the acknowledgement.
        expect(await message?.ackAck()).toBe(true);
        await connection.close();
      }
    }
  });

  test("logins and refusals lie in the audit streams, and the monitor hears them", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    const monitor = await backbone.as("monitor");
    const heard: string[] = [];
    monitor.subscribe("circl.audit.>", { callback: (_, { subject }) => heard.push(subject) });
    await monitor.flush();
    await expect(backbone.cluster.connect({ user: "oms", pass: "wrong" })).rejects.toThrow(/authorization/i);
    await (await backbone.as("oms")).close();
    await (await backbone.as("operator-system")).close();
    const refused = /^circl\.audit\.refused\.\w+$/;
    const subjects = (...accounts: readonly string[]) =>
      accounts.flatMap((account) => [`circl.audit.connect.${account}`, `circl.audit.disconnect.${account}`]);
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(expect.arrayContaining(subjects("oms", "SYS")));
    await expect.poll(() => heard.some((subject) => refused.test(subject)), { timeout: 20_000 }).toBe(true);
    const stored = async (stream: string) => {
      const filter = JSON.stringify({ subjects_filter: "circl.audit.>" });
      const reply = await monitor.request(`$JS.API.STREAM.INFO.${stream}`, filter);
      return Object.keys(reply.json<{ state: { subjects?: object } }>().state.subjects ?? {}).sort();
    };
    // Each account on subjects of its own: none pushes out what another did. The account with the streams had logged in before them.
    const kept = [...subjects("SYS", "oms"), "circl.audit.connect.monitor", "circl.audit.disconnect.CIRCL"];
    await expect.poll(() => stored("circl_audit_logins"), { timeout: 20_000 }).toEqual(kept.sort());
    // One subject a server: the client may have tried several.
    const refusals = await stored("circl_audit_refused");
    expect(refusals.length).toBeGreaterThanOrEqual(1);
    for (const subject of refusals) expect(subject).toMatch(refused);
    await monitor.close();
  });

  test("what an operator removes is in the audit, with the key that did it; what one reads is not", async () => {
    await using backbone = await startBackbone(model, { binary: binary() });
    await applyAll(backbone, model);
    const monitor = await backbone.as("monitor");
    const heard: { readonly subject: string; readonly user?: string }[] = [];
    monitor.subscribe("$JS.EVENT.ADVISORY.API", {
      callback: (_, message) => {
        const { subject, client } = message.json<{ subject: string; client: { user?: string } }>();
        heard.push({ subject, ...(client.user ? { user: client.user } : {}) });
      },
    });
    await monitor.flush();
    const [oms, operator] = [await backbone.as("oms"), await backbone.as("operator-streams")];
    const { seq } = await oms.jetstream().publish("circl.dlq.oms.order.created", "what failed");
    const letter = await operator.request("$JS.API.STREAM.MSG.GET.circl_dlq", JSON.stringify({ seq }));
    expect(letter.json()).toMatchObject({ message: { data: Buffer.from("what failed").toString("base64") } });
    await operator.request("$JS.API.STREAM.PURGE.circl_dlq");
    const user = backbone.credentials.documents["operator-streams"]?.current;
    await expect
      .poll(() => heard, { timeout: 20_000 })
      .toContainEqual({ subject: "$JS.API.STREAM.PURGE.circl_dlq", user });
    expect(heard.filter(({ subject }) => subject.includes("MSG.GET"))).toEqual([]);
    // Who is on call reads that with the command, and with no more rights than that.
    const { servers, tls, nkeyFile = "", inboxPrefix = "" } = backbone.target("operator-read");
    const login = ["--server", servers.join(), "--nkey", nkeyFile, "--inbox-prefix", inboxPrefix];
    const ca = tls?.ca ? ["--tls-ca", tls.ca] : [];
    const audit = await circl(["audit", model.environment.name, ...login, ...ca, "--since", "1h"]);
    expect(audit).toMatchObject({ code: 0, stderr: "" });
    expect(audit.stdout).toMatch(
      new RegExp(`${user?.slice(0, 8)}\\.\\.\\. .*127\\.0\\.0\\.1 +stream circl_dlq purged: 1 message$`, "m"),
    );
    await Promise.all([monitor, oms, operator].map((connection) => connection.close()));
  });

  test("a bucket is written by its publisher, read and watched by its reader, and closed to others", async () => {
    const buckets = standalone(model, [...stores, lock]);
    await using backbone = await startBackbone(buckets, { binary: binary() });
    await applyAll(backbone, buckets);
    const [writer, reader, stranger] = [await backbone.as("bff"), await backbone.as("oms"), await backbone.as("iot")];
    const refused = refusedTo(reader);
    const open = (connection: NatsConnection) =>
      connection.jetstream({ checkAPI: false }).views.kv("flags", { bindOnly: true, allow_direct: true });
    const [written, read] = [await open(writer), await open(reader)];
    // More than the server sends before it wants to hear that the watcher keeps up.
    const large = new Uint8Array(200_000);
    for (let i = 0; i < 40; i++) await written.put(`large.${i}`, large);
    const revision = await written.put("dark", "on");
    expect((await read.get("dark"))?.string()).toBe("on");
    expect((await read.get("dark", { revision }))?.string()).toBe("on");
    const keys: string[] = [];
    for await (const { key } of await read.watch()) if (keys.push(key) === 41) break;
    expect(keys).toContain("dark");
    // So nats.go ends a watch; this one is not there, and that is what the server says, not that it may not be asked.
    const ended = await reader.request("$JS.API.CONSUMER.DELETE.KV_flags.ended");
    expect(ended.json()).toMatchObject({ error: { err_code: 10014 } });
    expect([...refused]).toEqual([]);
    await expect(read.put("dark", "off")).rejects.toThrow(/permission/i);
    expect((await written.get("dark"))?.string()).toBe("on");
    await expect(open(stranger).then((bucket) => bucket.get("dark"))).rejects.toThrow(/permission/i);
    await Promise.all([writer, reader, stranger].map((connection) => connection.close()));
  });

  test("a pushed consumer reaches who it is for, with flow control and in a group, and nobody else", async () => {
    const pushed = standalone(model, [pushedStream, lock]);
    await using backbone = await startBackbone(pushed, { binary: binary() });
    await applyAll(backbone, pushed);
    const [oms, bff, geo] = [await backbone.as("oms"), await backbone.as("bff"), await backbone.as("geo")];
    const refused = [refusedTo(bff), refusedTo(geo)];
    // More than the server sends before it wants to hear that the listener keeps up.
    for (let i = 0; i < 40; i++) await oms.jetstream().publish("work.sorted", new Uint8Array(200_000));
    const alone = consumerOpts().bind("work", "bff-work").deliverTo("work.for.bff").manualAck();
    const shared = consumerOpts().bind("work", "geo-work").deliverTo("work.for.geo").queue("geo").manualAck();
    for (const [connection, options] of [
      [bff, alone],
      [geo, shared],
    ] as const) {
      let handled = 0;
      for await (const message of await connection.jetstream().subscribe("work.>", options)) {
        expect(await message.ackAck()).toBe(true);
        if (++handled === 40) break;
      }
    }
    expect(refused.map((set) => [...set])).toEqual([[], []]);
    const strange = refusedTo(oms);
    oms.subscribe("work.for.bff", { callback: () => {} });
    oms.publish("$JS.ACK.work.bff-work.1.1.1.1.0");
    await oms.flush();
    await oms.flush();
    expect([...strange].sort()).toEqual(["publish $JS.ACK.work.bff-work.1.1.1.1.0", "subscription work.for.bff"]);
    await Promise.all([oms, bff, geo].map((connection) => connection.close()));
  });

  test("an object store is used by its publisher: written, replaced, read and listed", async () => {
    const objects = standalone(model, [...stores, lock]);
    await using backbone = await startBackbone(objects, { binary: binary() });
    await applyAll(backbone, objects);
    const maps = await backbone.as("geo");
    const refused = refusedTo(maps);
    const store = await maps.jetstream({ checkAPI: false }).views.os("maps");
    for (const content of ["first", "second"]) {
      await store.putBlob({ name: "berlin" }, new TextEncoder().encode(content));
    }
    expect(new TextDecoder().decode((await store.getBlob("berlin")) ?? undefined)).toBe("second");
    expect((await store.list()).map(({ name }) => name)).toEqual(["berlin"]);
    // The chunks of the first are gone: what is left is one chunk and what describes it.
    const plan = await backbone.as("stream-plan");
    const info = await plan.request("$JS.API.STREAM.INFO.OBJ_maps");
    expect(info.json<{ state: { messages: number } }>().state.messages).toBe(2);
    expect([...refused]).toEqual([]);
    await Promise.all([maps, plan].map((connection) => connection.close()));
  });
}

/** What the server refuses to this connection from now on; it grows. */
function refusedTo(connection: NatsConnection): Set<string> {
  const refused = new Set<string>();
  (async () => {
    for await (const { permissionContext } of connection.status()) {
      if (permissionContext) refused.add(`${permissionContext.operation} ${permissionContext.subject}`);
    }
  })();
  return refused;
}

/** Everything in the table that the server refuses to this connection: `publish circl.oms.order.created`. */
async function refusals(connection: NatsConnection): Promise<Set<string>> {
  const refused = refusedTo(connection);
  for (const [subject] of PUBLISH) connection.publish(subject);
  for (const [subject] of SUBSCRIBE) connection.subscribe(subject, { callback: () => {} });
  // Refusals come in order, before the answer to the ping that follows.
  await connection.flush();
  await connection.flush();
  return refused;
}

/** Applies every stream and consumer of `model` as stream-sync. */
export async function applyAll(backbone: Backbone, model: Model): Promise<void> {
  await using writer = await openWriter(backbone.target("stream-sync"));
  const planned = await plan(model, writer, policy, Date.now() * 1e6, { deletions: [] });
  const options = { holder: "test", lockWait: 0, interrupted: () => false, progress: () => {}, readyTimeout: 20_000 };
  expect((await apply(planned, writer, options)).failed).toEqual([]);
}

/** One server without TLS, with `streams` and the flags of `model`. */
const standalone = ({ environment: { nats } }: Model, streams: readonly StreamInput[]): Model =>
  modelWith({
    environment: {
      development: true,
      certificates: "none",
      nats: { servers: 1, tls: false, ...(nats.featureFlags ? { featureFlags: nats.featureFlags } : {}) },
    },
    streams,
  });

const pushedStream: StreamInput = {
  name: "work",
  subjects: ["work.sorted"],
  maxBytes: "16MiB",
  publishers: [{ service: "oms", subject: "work.sorted", data: { sensitivity: "internal" } }],
  consumers: [
    {
      name: "bff-work",
      service: "bff",
      ackPolicy: "explicit",
      deliverSubject: "work.for.bff",
      flowControl: true,
      idleHeartbeat: "5s",
    },
    { name: "geo-work", service: "geo", ackPolicy: "explicit", deliverSubject: "work.for.geo", deliverGroup: "geo" },
  ],
};
