import type { NatsConnection } from "nats";
import { expect, vi } from "vitest";
import { run } from "../../src/cli/commands/audit.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { AUDITED_AUTH, createAudited } from "../support/audit.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { captured } from "../support/stdout.ts";

interface Options {
  readonly since?: string;
  readonly json?: boolean;
  readonly failedLogins?: boolean;
  readonly identities?: string;
}

/** Runs the command and gives what it wrote. */
export async function auditOf(environment: string, cluster: Cluster, options: Options = {}): Promise<string> {
  vi.stubEnv("CIRCL_PASSWORD", "loopback-only");
  const { servers, tls } = cluster.target();
  const ca = tls?.ca ? { tlsCa: tls.ca } : {};
  const where = { server: servers.join(), user: "sync", timeout: "5000", ...ca };
  const { code, stdout } = await captured(() => run(environment, { ...where, since: "1h", ...options }));
  expect(code).toBe(0);
  return stdout;
}

/** A cluster with all streams. The first thing that the audit has is the audit stream itself. */
export async function audited(environment: "local" | "production") {
  const model = realModel(environment);
  const cluster = await Cluster.start(model, { auth: AUDITED_AUTH });
  const connection = await cluster.connect();
  const desired = desiredState(model);
  await createAudited(connection, desired);
  await connection.close();
  return { cluster, config: (name: string) => desired.streams.find((stream) => stream.name === name) };
}

export const as = (user: string, cluster: Cluster): Promise<NatsConnection> =>
  cluster.connect({ user, pass: "loopback-only" });

/** Polls the audit until it says everything: reports come a moment after what they report. */
export async function saying(environment: string, cluster: Cluster, ...sentences: readonly RegExp[]): Promise<string> {
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
