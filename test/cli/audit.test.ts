import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection, nkeyAuthenticator, nkeys } from "nats";
import { afterEach, describe, expect, test, vi } from "vitest";
import { run } from "../../src/cli/commands/audit.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { identities } from "../../src/model/identity.ts";
import { AUDITED_AUTH, auditedAuth, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { captured } from "../support/stdout.ts";
import { without } from "../support/tools.ts";
import { temporaryFolder } from "./circl.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

interface Options {
  readonly since?: string;
  readonly json?: boolean;
  readonly failedLogins?: boolean;
  readonly identities?: string;
}

/** Runs the command and gives what it wrote. */
async function auditOf(environment: string, cluster: Cluster, options: Options = {}): Promise<string> {
  vi.stubEnv("CIRCL_PASSWORD", "loopback-only");
  const { servers, tls } = cluster.target();
  const ca = tls?.ca ? { tlsCa: tls.ca } : {};
  const where = { server: servers.join(), user: "sync", timeout: "5000", ...ca };
  const { code, stdout } = await captured(() => run(environment, { ...where, since: "1h", ...options }));
  expect(code).toBe(0);
  return stdout;
}

/** A cluster with all streams. The first thing that the audit has is the audit stream itself. */
async function audited(environment: "local" | "production") {
  const model = realModel(environment);
  const cluster = await Cluster.start(model, { auth: AUDITED_AUTH });
  const connection = await cluster.connect();
  const desired = desiredState(model);
  await createAudited(connection, desired);
  await connection.close();
  return { cluster, config: (name: string) => desired.streams.find((stream) => stream.name === name) };
}

const as = (user: string, cluster: Cluster): Promise<NatsConnection> =>
  cluster.connect({ user, pass: "loopback-only" });

/** Polls the audit until it says everything: reports come a moment after what they report. */
async function saying(environment: string, cluster: Cluster, ...sentences: readonly RegExp[]): Promise<string> {
  let said = "";
  await expect
    .poll(
      async () => {
        said = await auditOf(environment, cluster);
        return sentences.filter((sentence) => !sentence.test(said)).map(String);
      },
      { timeout: 30_000, interval: 500 },
    )
    .toEqual([]);
  return said;
}

/** Bytes that a stored message takes beside its data: 22, a checksum of 8, and its subject. */
const OVERHEAD = 60;

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
    expect(Date.parse(record.failedLogins)).toBeLessThanOrEqual(Date.parse(failedLogins[0].last));
    expect(said).toMatch(/^the record of failed logins begins .{19}: nothing older is kept$/m);
    expect(await auditOf("local", cluster, { failedLogins: true })).not.toContain("the record of changes");
    expect(await auditOf("local", cluster, { since: new Date().toISOString() })).not.toContain("the record of");
  });

  test("leaves no trace of its own, and neither do a thousand pulls", async () => {
    const { cluster } = await audited("local");
    await using _ = cluster;
    await saying("local", cluster, /consumer circl_oms\/bff-orders created/);
    const connection = await as("sync", cluster);
    let asked = 0;
    /** Reports beside those that this question itself makes, once no more of them are under way. */
    const reports = async () => {
      let before: number | undefined;
      for (;;) {
        const { state } = (await request(connection, "STREAM.INFO.circl_audit", {
          subjects_filter: "$JS.EVENT.ADVISORY.>",
        })) as { state?: { subjects?: Record<string, number> } };
        const now = (state?.subjects?.["$JS.EVENT.ADVISORY.API"] ?? 0) - asked++;
        if (now === before) return now;
        before = now;
        await sleep(300);
      }
    };
    const before = await reports();
    for (let i = 0; i < 1_000; i++) {
      await connection.request("$JS.API.CONSUMER.MSG.NEXT.circl_oms.bff-orders", '{"batch":1,"no_wait":true}');
    }
    await auditOf("local", cluster);
    expect(await reports()).toBe(before);
    await request(connection, "CONSUMER.INFO.circl_oms.bff-orders");
    expect(await reports()).toBe(before + 1);
    await connection.close();
  });

  test("has room for the full share of every loud kind of report", async () => {
    const model = realModel("production");
    const { cluster } = await audited("production");
    await using _ = cluster;
    const connection = await as("sync", cluster);
    const sizes: Record<"report" | "login", number[]> = { report: [], login: [] };
    for (const [kind, subject] of [
      ["report", "$JS.EVENT.ADVISORY.API"],
      ["login", "circl.audit.connect.CIRCL"],
    ] as const) {
      connection.subscribe(subject, { callback: (_, { data }) => sizes[kind].push(data.length) });
    }
    await connection.flush();
    const questions = model.streams.flatMap(({ name, consumers }) => [
      `STREAM.INFO.${name}`,
      ...consumers.map((consumer) => `CONSUMER.INFO.${name}.${consumer.name}`),
    ]);
    for (const question of questions) await request(connection, question);
    await (await as("alice", cluster)).close();
    await expect.poll(() => sizes.report.length).toBeGreaterThanOrEqual(questions.length);
    await expect.poll(() => sizes.login.length).toBeGreaterThanOrEqual(1);
    const largest = (kind: keyof typeof sizes) => Math.max(...sizes[kind]) + OVERHEAD;
    const sizeOf = (environment: "production" | "staging", stream: string) => {
      const found = realModel(environment).streams.find(({ name }) => name === stream);
      const { maxMsgsPerSubject = 0, maxBytes = 0, maxMsgs = 0, alerts } = found ?? {};
      return { maxMsgsPerSubject, maxBytes, maxMsgs, alerts };
    };
    for (const name of ["production", "staging"] as const) {
      const { maxMsgsPerSubject, maxBytes, maxMsgs, alerts } = sizeOf(name, "circl_audit");
      // Other advisories are far fewer than the API audit.
      expect(maxMsgsPerSubject * largest("report")).toBeLessThan(maxBytes);
      expect(maxMsgsPerSubject * 2).toBeLessThanOrEqual(maxMsgs);
      // Whoever floods it is noticed an hour before anything is lost.
      expect((alerts?.publishRate ?? Number.POSITIVE_INFINITY) * 3_600).toBeLessThanOrEqual(maxMsgsPerSubject);

      const logins = sizeOf(name, "circl_audit_logins");
      // Every identity has an account of its own at most, beside the two; each comes and goes.
      const subjects = 2 * (identities(realModel(name)).length + 2);
      expect(logins.maxMsgsPerSubject * subjects * largest("login")).toBeLessThan(logins.maxBytes);
      expect(logins.maxMsgsPerSubject * subjects).toBeLessThanOrEqual(logins.maxMsgs);
    }
    await connection.close();
  });

  test("a wrong password in a loop counts up the refusals, and pushes nothing else out", async () => {
    const { cluster } = await audited("local");
    await using _ = cluster;
    const connection = await as("sync", cluster);
    const lastOf = async (stream: string) => {
      const reply = (await request(connection, `STREAM.INFO.${stream}`)) as { state?: { last_seq: number } };
      return reply.state?.last_seq ?? -1;
    };
    expect(await lastOf("circl_audit_refused")).toBe(0);
    const logins = async () => {
      const body = { subjects_filter: "circl.audit.>" };
      const { state } = (await request(connection, "STREAM.INFO.circl_audit_logins", body)) as {
        state?: { subjects?: object };
      };
      return state?.subjects;
    };
    await expect.poll(logins).toHaveProperty(["circl.audit.connect.CIRCL"]);
    const before = await logins();
    for (let i = 0; i < 20; i++) await cluster.connect({ user: "bob", pass: String(i) }).catch(() => undefined);
    await expect.poll(() => lastOf("circl_audit_refused"), { timeout: 20_000 }).toBe(20);
    expect(await logins()).toEqual(before);
    await connection.close();
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
