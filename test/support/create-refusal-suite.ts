/** Our rules against a server's own checks, definition by definition: what a rule refuses the server refuses, with the code named. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { desiredState, type WireConfig } from "../../src/jetstream/desired.ts";
import type { Model } from "../../src/model/resolve.ts";
import type { StreamInput } from "../../src/model/stream.ts";
import { atLeast, parseVersion } from "../../src/model/version.ts";
import type { Finding } from "../../src/rules/rule.ts";
import { streamRules } from "../../src/rules/streams/index.ts";
import { modelWith } from "./definitions.ts";
import { type Reply, request } from "./jetstream.ts";
import { createConsumer, titled } from "./jetstream-refusal-suite.ts";
import { Cluster } from "./nats-server.ts";
import { REFUSED_COMBINATIONS } from "./refused-combinations.ts";
import { REFUSED_CONSUMERS } from "./refused-consumers.ts";
import { REFUSED_STREAMS, type RefusedCase } from "./refused-definitions.ts";
import { REFUSED_ORIGINS } from "./refused-origins.ts";
import { REFUSED_PRIORITIES } from "./refused-priorities.ts";
import { REFUSED_PUSH_CONSUMERS } from "./refused-push-consumers.ts";
import { tool } from "./tools.ts";

export const REFUSED: readonly RefusedCase[] = [
  ...REFUSED_STREAMS,
  ...REFUSED_COMBINATIONS,
  ...REFUSED_ORIGINS,
  ...REFUSED_CONSUMERS,
  ...REFUSED_PUSH_CONSUMERS,
  ...REFUSED_PRIORITIES,
];

/** Production as far as streams are concerned, on one server or three of a version. */
export const modelOn = (servers: 1 | 3, version: string, streams: readonly StreamInput[]): Model =>
  modelWith({
    environment: {
      images: { nats: { tag: `${version}-alpine` } },
      ...(servers === 1 ? { development: true, certificates: "none", nats: { servers, tls: false } } : {}),
    },
    streams,
  });

/** The version that a tool of tools/tools.json has. */
export function versionOf(server: string): string {
  const tools = JSON.parse(readFileSync(new URL("../../tools/tools.json", import.meta.url), "utf8"));
  return tools[server].version;
}

export const streamFindings = (model: Model): Finding[] => streamRules.flatMap((rule) => [...rule.check(model)]);

export interface Answers {
  /** err_code of everything that was refused. */
  readonly refused: readonly number[];
  /** The last stream or consumer, as the server answered it. */
  readonly last: Reply | undefined;
}

/** Asks for everything that the model declares and takes it away again. */
export async function ask(connection: NatsConnection, model: Model): Promise<Answers> {
  const { streams, consumers } = desiredState(model);
  const replies: Reply[] = [];
  for (const config of streams) replies.push(await createStream(connection, config));
  if (replies.every(({ error }) => error === undefined)) {
    for (const { stream_name, config } of consumers)
      replies.push(await createConsumer(connection, stream_name, config));
  }
  for (const { name } of streams) await request(connection, `STREAM.DELETE.${name}`);
  return { refused: replies.flatMap(({ error }) => (error ? [error.err_code ?? 0] : [])), last: replies.at(-1) };
}

/** A busy server still takes the old folder away as a stream of the same name comes, and answers 10049 until it has. */
async function createStream(connection: NatsConnection, config: WireConfig): Promise<Reply> {
  for (let tries = 1; ; tries++) {
    const reply = await request(connection, `STREAM.CREATE.${config.name}`, config);
    if (reply.error?.err_code !== 10049 || tries === 8) return reply;
    await sleep(250);
  }
}

const codesOf = (model: Model): readonly number[] => [
  ...new Set(streamFindings(model).flatMap(({ errCode }) => (errCode ? [errCode] : []))),
];

export function createRefusalSuite(server: string, servers: 1 | 3): void {
  const version = versionOf(server);
  const parsed = parseVersion(version);
  const cases = REFUSED.filter(
    (one) =>
      (one.servers ?? 1) === servers &&
      !one.unasked &&
      (one.version ?? version) === version &&
      parsed !== undefined &&
      atLeast(parsed, one.since ?? "2.10"),
  );
  const model = (streams: readonly StreamInput[]) => modelOn(servers, version, streams);
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(model([]), { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  test.each(titled(cases))("%s", async (_, { fires, quiet, becomes }) => {
    const { refused, last } = await ask(connection, model(fires));
    expect(refused).toEqual(becomes ? [] : codesOf(model(fires)));
    if (becomes) expect(last?.config).toMatchObject(becomes);
    expect(codesOf(model(quiet))).toEqual([]);
    expect((await ask(connection, model(quiet))).refused).toEqual([]);
  });
}
