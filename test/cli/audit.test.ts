import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, nkeyAuthenticator, nkeys } from "nats";
import { afterEach, describe, expect, test, vi } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { AUDITED_AUTH, auditedAuth, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { as, audited, auditOf, saying } from "./audited.ts";
import { temporaryFolder } from "./circl.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe.skipIf(without("nats-server", "test-ca"))("circl audit", () => {
  test.each(["local", "production"] as const)(
    "names who changed what in %s, and who failed to log in",
    async (name) => {
      const { cluster, config } = await audited(name);
      await using _ = cluster;
      const alice = await as("alice", cluster);
      const bob = await as("bob", cluster);
      const oms = config("circl_oms");
      await request(alice, "STREAM.UPDATE.circl_oms", { ...oms, max_age: 86_400e9 });
      await request(bob, "STREAM.UPDATE.circl_oms", { ...oms, max_age: 86_400e9, max_msg_size: 524_288 });
      await request(bob, "STREAM.UPDATE.circl_oms", { ...oms, subjects: ["circl.iot.>"] });
      await alice.jetstream().publish("circl.dlq.oms.order.created", "failed");
      await request(alice, "STREAM.PURGE.circl_dlq");
      await request(bob, "CONSUMER.DELETE.circl_oms.bff-orders");
      await request(bob, "STREAM.INFO.circl_oms");
      for (const pass of ["wrong", "wrong as well"]) {
        await expect(cluster.connect({ user: "alice", pass })).rejects.toThrow(/Authorization/i);
      }
      await expect(cluster.connect({})).rejects.toThrow(/Authorization/i);
      await Promise.all([alice.close(), bob.close()]);

      const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
      const line = (who: string, what: string) => new RegExp(`^${when}  ${who} +127\\.0\\.0\\.1  ${what}$`, "m");
      const said = await saying(
        name,
        cluster,
        line("sync", "stream circl_oms created"),
        line("sync", "consumer circl_oms/bff-orders created"),
        line("alice", `stream circl_oms updated: max_age ${name === "local" ? "3d" : "7d"} -> 1d`),
        line("bob", "stream circl_oms updated: max_msg_size 1 MiB -> 512 KiB"),
        line("bob", "stream circl_oms: update refused: subjects overlap with an existing stream \\(10065\\)"),
        line("alice", "stream circl_dlq purged: 1 message"),
        line("bob", "consumer circl_oms/bff-orders deleted"),
        new RegExp(`^alice +127\\.0\\.0\\.1  \\d+ +${when}  ${when}  Authentication Failure$`, "m"),
        /^nobody \(no user given\) +127\.0\.0\.1 {2}\d+/m,
        /^21 changes, 1 refused\. \d+ failed logins\.$/m,
      );
      // A question is no change.
      expect(said).not.toContain("INFO");

      const json = JSON.parse(await auditOf(name, cluster, { json: true }));
      expect(json).toMatchObject({ formatVersion: 1, environment: name });
      expect(json.changes).toContainEqual({
        action: "update",
        kind: "stream",
        name: "circl_oms",
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        who: { user: "bob", account: "CIRCL", host: "127.0.0.1", client: "" },
        fields: [{ field: "max_msg_size", from: 1_048_576, to: 524_288 }],
      });
      const [wrong] = json.failedLogins.filter(({ who }: { who: { user: string } }) => who.user === "alice");
      expect(wrong.attempts).toBeGreaterThanOrEqual(2);
      expect(wrong.servers.every((server: string) => server.startsWith(`circl-${name}-nats-`))).toBe(true);

      const logins = await auditOf(name, cluster, { failedLogins: true });
      expect(logins).toContain("Authentication Failure");
      expect(logins).not.toContain("circl_oms");
    },
  );

  test("knows the users of NKeys by the list of identities", async () => {
    const key = nkeys.createUser();
    const model = realModel("local");
    await using cluster = await Cluster.start(model, { auth: auditedAuth(key.getPublicKey()) });
    const sync = await cluster.connect();
    await createAudited(sync, desiredState(model));
    await sync.close();
    const carol = await connect({
      servers: cluster.target().servers[0] ?? "",
      name: "laptop",
      authenticator: nkeyAuthenticator(key.getSeed()),
    });
    await request(carol, "STREAM.PURGE.circl_dlq");
    await carol.close();
    await saying(
      "local",
      cluster,
      new RegExp(`  ${key.getPublicKey().slice(0, 8)}\\.\\.\\. \\(laptop\\) +127.* purged`),
    );

    using folder = temporaryFolder();
    const identities = join(folder.path, "identities.json");
    const carolIs = (name: string) => ({ name, kind: "person", current: "", previous: key.getPublicKey() });
    writeFileSync(identities, JSON.stringify({ formatVersion: 1, identities: [carolIs("carol")] }));
    expect(await auditOf("local", cluster, { identities })).toMatch(
      / {2}carol \(laptop\) +127\.0\.0\.1 {2}stream circl_dlq purged/,
    );
    const { changes } = JSON.parse(await auditOf("local", cluster, { identities, json: true }));
    expect(changes.at(-1).who).toMatchObject({ user: key.getPublicKey(), identity: "carol" });

    writeFileSync(identities, "[]");
    await expect(auditOf("local", cluster, { identities })).rejects.toThrow(
      /is no document of `circl identity list --json`/,
    );
  });

  test("explains an update by what was before the time that is asked for, and says nothing older", async () => {
    const { cluster, config } = await audited("local");
    await using _ = cluster;
    await saying("local", cluster, /stream circl_oms created/);
    await sleep(50);
    const since = new Date().toISOString();
    const alice = await as("alice", cluster);
    await request(alice, "STREAM.UPDATE.circl_oms", { ...config("circl_oms"), max_bytes: 52_428_800 });
    await alice.close();
    await saying("local", cluster, /updated: max_bytes/);
    const said = await auditOf("local", cluster, { since });
    expect(said).toMatch(/alice +127\.0\.0\.1 {2}stream circl_oms updated: max_bytes 100 MiB -> 50 MiB\n/);
    expect(said).toMatch(/\n1 change, 0 refused\. 0 failed logins\.\n$/);
    expect(said).not.toContain("the record of");
  });

  test("says where its record begins when the question begins earlier", async () => {
    const { cluster } = await audited("local");
    await using _ = cluster;
    const sync = await as("sync", cluster);
    await saying("local", cluster, /stream circl_oms created/);
    // What its limits drop one day.
    await request(sync, "STREAM.PURGE.circl_audit", { filter: "$JS.EVENT.ADVISORY.API", keep: 1 });
    await expect(cluster.connect({ user: "alice", pass: "wrong" })).rejects.toThrow(/Authorization/i);
    await sync.close();
    const said = await saying("local", cluster, /^alice .* Authentication Failure$/m);
    const { changes, failedLogins, record } = JSON.parse(await auditOf("local", cluster, { json: true }));
    expect(changes.filter(({ name }: { name: string }) => name === "circl_oms")).toEqual([]);
    const [, begins = ""] = /^the record of changes begins (.{19}): nothing older is kept$/m.exec(said) ?? [];
    expect(record.changes.replace("T", " ")).toContain(begins);
    expect(begins).not.toBe("");
    // Stored a moment after it happened: the record's times are the stream's, the refusal's its server's.
    expect(Date.parse(record.failedLogins)).toBeLessThan(Date.parse(failedLogins[0].last) + 1_000);
    expect(said).toMatch(/^the record of failed logins begins .{19}: nothing older is kept$/m);
    expect(await auditOf("local", cluster, { failedLogins: true })).not.toContain("the record of changes");
    expect(await auditOf("local", cluster, { since: new Date().toISOString() })).not.toContain("the record of");
  });

  test("says what to do where the audit streams are missing", async () => {
    await using cluster = await Cluster.start(realModel("local"), { auth: AUDITED_AUTH });
    await expect(auditOf("local", cluster)).rejects.toThrow(
      /reading circl_audit: nobody answers: it is missing, has no leader, or lacks allow_direct\. .*circl apply/,
    );
  });

  test("takes a duration or a date, and nothing else", async () => {
    const { momentOf } = await import("../../src/cli/commands/audit.ts");
    expect(momentOf("24h", 86_400_000)).toBe(0);
    expect(momentOf("1970-01-02T00:00Z", 0)).toBe(86_400_000);
    expect(() => momentOf("yesterday", 0)).toThrow(
      '--since is "yesterday", expected a duration such as 24h, or a date',
    );
  });
});
