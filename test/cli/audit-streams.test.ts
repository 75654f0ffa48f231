import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { identities } from "../../src/model/identity.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { without } from "../support/tools.ts";
import { as, audited, auditOf, saying } from "./audited.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Bytes that a stored message takes beside its data: 22, a checksum of 8, and its subject. */
const OVERHEAD = 60;

describe.skipIf(without("nats-server", "test-ca"))("the streams of the audit", () => {
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
});
