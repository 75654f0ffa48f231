import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import { AckPolicy } from "nats";
import { describe, expect, test } from "vitest";
import type { EnvironmentInput } from "../../src/model/environment.ts";
import type { Model } from "../../src/model/resolve.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { Cluster, metaReady, type RunningServer } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const PAYLOAD = "POSITION-OF-A-DEVICE";
const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(43)) as [string, string, string];

const single = (encryption: "none" | "aes" | "chacha") =>
  modelWith({
    environment: {
      development: true,
      nats: { servers: 1, tls: false, encryption },
      certificates: "none",
    } satisfies EnvironmentInput,
  });

/** Files of a server in which `text` stands. */
const filesWith = (server: RunningServer | undefined, text: string): string[] =>
  readdirSync(join(server?.root ?? "", "data"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));

/** Twenty messages, of which the durable has acknowledged five. */
async function fill(connection: NatsConnection, replicas: number): Promise<void> {
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: "S", subjects: ["s.>"], num_replicas: replicas });
  await manager.consumers.add("S", { durable_name: "d", ack_policy: AckPolicy.Explicit });
  const js = connection.jetstream();
  for (let i = 0; i < 20; i++) await js.publish("s.a", `${PAYLOAD}-${i}`);
  const consumer = await js.consumers.get("S", "d");
  for (let i = 0; i < 5; i++) await (await consumer.next())?.ackAck();
}

/** Servers with that on them. */
async function filled(model: Model): Promise<Cluster> {
  const cluster = await Cluster.start(model);
  const connection = await cluster.connect();
  await fill(connection, model.environment.nats.servers);
  await connection.close();
  return cluster;
}

async function state(connection: NatsConnection) {
  const manager = await connection.jetstreamManager();
  const first = await manager.streams.getMessage("S", { seq: 1 });
  return {
    messages: (await manager.streams.info("S")).state.messages,
    first: first.string(),
    acknowledged: (await manager.consumers.info("S", "d")).ack_floor.stream_seq,
  };
}

const WHOLE = { messages: 20, first: `${PAYLOAD}-0`, acknowledged: 5 };

async function look(cluster: Cluster) {
  const connection = await cluster.connect();
  try {
    return await state(connection);
  } finally {
    await connection.close();
  }
}

describe.skipIf(without("nats-server"))("encryption at rest of a server without a cluster", () => {
  test.each(["aes", "chacha"] as const)("with %s no payload is on disk", async (cipher) => {
    await using cluster = await filled(single(cipher));
    const server = await cluster.restart(0);
    expect(server.log()).toMatch(cipher === "aes" ? /Encryption: +AES-GCM/ : /Encryption: +ChaCha20-Poly1305/);
    expect(filesWith(server, PAYLOAD)).toEqual([]);
    expect(await look(cluster)).toEqual(WHOLE);
  });

  test("without it every payload is, and turning it on encrypts what is there", async () => {
    await using plain = await filled(single("none"));
    expect(filesWith(plain.servers[0], PAYLOAD)).not.toEqual([]);
    plain.model = single("aes");
    const server = await plain.restart(0);
    expect(server.log()).toContain("Encrypting stream 'CIRCL > S'");
    expect(await look(plain)).toEqual(WHOLE);
    expect(filesWith(server, PAYLOAD)).toEqual([]);
    plain.model = single("none");
    await expect(plain.restart(0)).rejects.toThrow(/this volume is encrypted and nats.encryption is none/);
    plain.model = single("aes");
    await plain.restart(0);
    expect(await look(plain)).toEqual(WHOLE);
  });

  test("a wrong key does not start, and the right one finds everything again", async () => {
    await using cluster = await filled(single("aes"));
    const { keys } = cluster;
    cluster.keys = { current: C, previous: "" };
    await expect(cluster.restart(0)).rejects.toThrow(/neither the current nor the previous one/);
    cluster.keys = keys;
    await cluster.restart(0);
    expect(await look(cluster)).toEqual(WHOLE);
  });

  // Why the key is never the server's to change. When one of these fails, the server has learnt it.
  test("the server itself starts with a wrong key as if there were no streams, and loses consumers to a new one", async () => {
    await using cluster = await filled(single("aes"));
    cluster.chooseKey = (root) => writeFileSync(join(root, "etc/nats-key/key.conf"), `cipher: aes\nkey: "${C}"\n`);
    await cluster.restart(0);
    await expect(look(cluster)).rejects.toThrow(/stream not found/);
    const previous = cluster.keys.current;
    cluster.chooseKey = (root) =>
      writeFileSync(
        join(root, "etc/nats-key/key.conf"),
        `cipher: aes\nkey: "${B}"\nprev_encryption_key: "${previous}"\n`,
      );
    await cluster.restart(0);
    await expect(look(cluster)).rejects.toThrow(/consumer not found/);
  });

  test("a key that changes under a running server would be logged by the next reload; ours does not change", async () => {
    await using cluster = await Cluster.start(single("aes"));
    const [server] = cluster.servers;
    if (!server) throw new Error("no server");
    writeFileSync(join(server.root, "etc/nats-encryption/current"), A);
    server.process.kill("SIGHUP");
    await expect.poll(server.log, { timeout: 20_000 }).toContain("Reloaded server configuration");
    expect(server.log()).not.toContain(cluster.keys.current);
    writeFileSync(join(server.root, "etc/nats-key/key.conf"), `cipher: aes\nkey: "${A}"\n`);
    server.process.kill("SIGHUP");
    await expect
      .poll(server.log, { timeout: 20_000 })
      .toContain(`config reload not supported for JetStreamKey: old=${cluster.keys.current}, new=${A}`);
  });
});

// Seen on 2.14.9 with other clusters on the same two cores: in about one run of ten a group was not led and current two minutes
// after a volume had been replaced. Why is not known. Another cluster is tried then.
const LOADED = { timeout: 600_000, retry: 2 };

describe.skipIf(without("nats-server", "test-ca"))("encryption at rest of three servers", LOADED, () => {
  test("a key is rotated by empty volumes, one server after the other, and nothing is lost", async () => {
    await using cluster = await filled(realModel("staging"));
    const whole = async () => expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
    const former = cluster.keys.current;
    cluster.keys = { current: B, previous: former };
    // Restarts of any reason meanwhile go on with the key of the volume.
    await metaReady(await cluster.restart(2));
    await current(cluster);
    for (const i of [2, 1, 0]) {
      await replace(cluster, i);
      await whole();
    }
    cluster.keys = { current: B, previous: "" };
    for (const i of [2, 1, 0]) {
      await metaReady(await cluster.restart(i));
      await current(cluster);
    }
    await whole();
    for (const server of cluster.servers) expect(filesWith(server, PAYLOAD)).toEqual([]);
  });

  test("is turned on by a rollout and off by empty volumes, with nothing lost", async () => {
    const encrypted = realModel("staging");
    const { environment } = encrypted;
    const plain: Model = {
      ...encrypted,
      environment: { ...environment, nats: { ...environment.nats, encryption: "none" } },
    };
    await using cluster = await filled(plain);
    expect(filesWith(cluster.servers[2], PAYLOAD)).not.toEqual([]);
    cluster.model = encrypted;
    for (const i of [2, 1, 0]) {
      await metaReady(await cluster.restart(i));
      await current(cluster);
    }
    await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
    for (const server of cluster.servers) expect(filesWith(server, PAYLOAD)).toEqual([]);
    cluster.model = plain;
    for (const i of [2, 1, 0]) {
      await expect(cluster.restart(i)).rejects.toThrow(/this volume is encrypted and nats.encryption is none/);
      await replace(cluster, i);
    }
    await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
  });

  test("a server that was forgotten does not start after finish, and the others go on", async () => {
    await using cluster = await filled(realModel("staging"));
    cluster.keys = { current: B, previous: "" };
    await expect(cluster.restart(2)).rejects.toThrow(/give this server an empty volume if the others are complete/);
    await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
  });

  test("the server's own rotation kills a server of a cluster", async () => {
    await using cluster = await Cluster.start(realModel("staging"));
    const previous = cluster.keys.current;
    cluster.chooseKey = (root) =>
      writeFileSync(
        join(root, "etc/nats-key/key.conf"),
        `cipher: aes\nkey: "${B}"\nprev_encryption_key: "${previous}"\n`,
      );
    await expect(cluster.restart(2)).rejects.toThrow(/Can't start JetStream: .*message authentication failed/);
  });
});

/**
 * Gives a server an empty volume. In a pod the lame duck hands leaders over before; here the others must have elected theirs, or
 * the empty one comes back in the middle of an election (once in ten times the group then had no leader for a minute, 2.14.9).
 */
async function replace(cluster: Cluster, i: number): Promise<void> {
  const gone = `circl-staging-nats-${i}`;
  const led = async () => {
    const leaders = (await groups(cluster).catch(() => [])).map(({ leader }) => leader);
    return leaders.length === 2 && leaders.every((leader) => leader !== undefined && leader !== gone);
  };
  const meanwhile = async () => {
    await expect.poll(led, { timeout: 120_000, interval: 250 }).toBe(true);
  };
  await metaReady(await cluster.restart(i, { empty: true, meanwhile }));
  await current(cluster);
}

/** Waits until stream and consumer have a leader and two replicas that are current. */
const current = (cluster: Cluster): Promise<void> =>
  expect
    .poll(
      async () =>
        (await groups(cluster).catch(() => [])).map(({ leader = "", replicas = [] }) => [
          leader !== "",
          replicas.filter((peer) => peer.current && !peer.offline).length,
        ]),
      { timeout: 120_000, interval: 250 },
    )
    .toEqual([
      [true, 2],
      [true, 2],
    ]);

interface Group {
  readonly leader?: string;
  readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
}

/** The raft groups of the stream and of its consumer. */
async function groups(cluster: Cluster): Promise<Group[]> {
  const connection = await cluster.connect();
  try {
    const manager = await connection.jetstreamManager();
    const both = [await manager.streams.info("S"), await manager.consumers.info("S", "d")];
    return both.map(({ cluster: group }) => group as Group);
  } finally {
    await connection.close();
  }
}
