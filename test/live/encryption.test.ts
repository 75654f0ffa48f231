import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EnvironmentInput } from "../../src/model/environment.ts";
import { modelWith, realModel } from "../support/definitions.ts";
import { filesWith, filled, look, PAYLOAD, WHOLE } from "../support/filled-cluster.ts";
import { Cluster, metaReady } from "../support/nats-server.ts";
import { current, replace } from "../support/replicas.ts";
import { without } from "../support/tools.ts";

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(43)) as [string, string, string];

const single = (encryption: "none" | "aes" | "chacha") =>
  modelWith({
    environment: {
      development: true,
      nats: { servers: 1, tls: false, encryption },
      certificates: "none",
    } satisfies EnvironmentInput,
  });

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

describe.skipIf(without("nats-server", "test-ca"))("encryption at rest of three servers", () => {
  test.each(["staging", "production"] as const)(
    "of %s: no payload is on any disk, neither in a stream's files nor in a log of its group; without it on each",
    { timeout: 240_000 },
    async (name) => {
      const model = realModel(name);
      const { environment } = model;
      const inClear = {
        ...model,
        environment: { ...environment, nats: { ...environment.nats, encryption: "none" } },
      } as const;
      for (const [rendered, kinds] of [
        [inClear, ["CIRCL", "SYS"]],
        [model, []],
      ] as const) {
        await using cluster = await filled(rendered);
        await current(cluster);
        for (const server of cluster.servers) {
          const found = () => filesWith(server, PAYLOAD).map((file) => file.slice(server.root.length).split("/")[3]);
          await expect.poll(() => [...new Set(found())].sort(), { timeout: 30_000 }).toEqual(kinds);
        }
      }
    },
  );

  test("a server that was forgotten does not start after finish, and the others go on", async () => {
    await using cluster = await filled(realModel("staging"));
    cluster.keys = { current: B, previous: "" };
    await expect(cluster.restart(2)).rejects.toThrow(/give this server an empty volume if the others are complete/);
    await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
  });

  // The whole of a rotation, all three servers, is test/validate/encryption-volumes.test.ts: it takes a minute.
  test("an empty volume begins with the new key while the others keep theirs, and nothing is lost", {
    timeout: 300_000,
  }, async () => {
    await using cluster = await filled(realModel("staging"));
    cluster.keys = { current: B, previous: cluster.keys.current };
    await current(cluster);
    await replace(cluster, 2);
    await expect.poll(() => look(cluster).catch(String), { timeout: 60_000 }).toEqual(WHOLE);
    // As `finish` leaves it: the one that was replaced needs the former key no more, the others do.
    cluster.keys = { current: B, previous: "" };
    await metaReady(await cluster.restart(2));
    await current(cluster);
    expect(filesWith(cluster.servers[2], PAYLOAD)).toEqual([]);
    await expect(cluster.restart(1)).rejects.toThrow(/give this server an empty volume if the others are complete/);
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
