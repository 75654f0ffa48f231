/** Transforms and points in time by the hundred: what we call faulty the server refuses, and nothing else. */
import type { NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isInstant } from "../../src/model/instant.ts";
import { newerFunction, transformFault } from "../../src/model/subject-transform.ts";
import { parseVersion } from "../../src/model/version.ts";
import { versionOf } from "./create-refusal-suite.ts";
import { realModel } from "./definitions.ts";
import { request } from "./jetstream.ts";
import { Cluster } from "./nats-server.ts";
import { tool } from "./tools.ts";

const SOURCES = [
  "",
  ">",
  "a",
  "a.b",
  "a.*",
  "*.*",
  "a.*.b.*",
  "a.>",
  "a.*.>",
  "a*",
  "a.b>",
  "a..b",
  "a.",
  "a.>.b",
  "a b",
  " ",
];
const DESTINATIONS = [
  "b",
  ">",
  "b.>",
  "b.*",
  "b.>.c",
  "b..c",
  ".b",
  "b c",
  "b*",
  "b.$1",
  "b.$2.$1",
  "b.$3",
  "b.$x",
  "b.$1.>",
  "b.{{wildcard(1)}}",
  "b.{{wildcard(1)}}.>",
  "b.{{ Wildcard( 2 ) }}",
  "b.{{wildcard(1,2)}}",
  "b.{{wildcard()}}",
  "b.{{wildcard(x)}}",
  "b.{{wildcrad(1)}}",
  "b.{{partition(5)}}",
  "b.{{partition(5,1)}}",
  "b.{{partition(5,1,2)}}",
  "b.{{partition(5,3)}}",
  "b.{{partition(x,1)}}",
  "b.{{split(1,-)}}",
  "b.{{split(1)}}",
  "b.{{split(1,-,2)}}",
  "b.{{split(x,-)}}",
  "b.{{split(1,- )}}",
  "b.{{splitFromLeft(1,2)}}",
  "b.{{splitFromRight(1,2)}}",
  "b.{{SliceFromLeft(1,2)}}",
  "b.{{sliceFromRight(2,2)}}",
  "b.{{splitFromLeft(1)}}",
  "b.{{splitFromLeft(1,x)}}",
  "b.{{left(1,2)}}",
  "b.{{right(1,2)}}",
  "b.{{right(1,2,3)}}",
  "b.{{random(5)}}",
  "b.{{random(x)}}",
  "b.{{random(1,2)}}",
  "b.{{}}",
  "b.{{x}}",
  "b.x{{wildcard(1)}}",
];

const INSTANTS = [
  "2026-01-02T03:04:05Z",
  "2026-01-02T03:04:05.123456789Z",
  "2026-01-02T03:04:05+01:00",
  "2026-01-02T03:04:05-23:59",
  "2024-02-29T00:00:00Z",
  "2026-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-01T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "2026-01-02",
  "2026-01-02T03:04Z",
  "2026-01-02T03:04:05",
  "2026-01-02 03:04:05Z",
  "2026-01-02T24:00:00Z",
  "2026-01-02T23:60:00Z",
  "2026-01-02T23:59:60Z",
  "2026-01-02T03:04:05+0100",
  "2026-01-02T03:04:05.Z",
  "yesterday",
  "1767323045",
];

export function transformSuite(server: string): void {
  const version = parseVersion(versionOf(server)) ?? { major: 0, minor: 0, patch: 0 };
  let cluster: Cluster;
  let connection: NatsConnection;
  beforeAll(async () => {
    cluster = await Cluster.start(realModel("local"), { binary: tool(server) });
    connection = await cluster.connect();
  });
  afterAll(async () => {
    await connection?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** What the server says to a stream with `config`, which is taken away again. */
  const said = async (config: object): Promise<number | undefined> => {
    const reply = await request(connection, "STREAM.CREATE.T", { name: "T", storage: "memory", ...config });
    if (!reply.error) await request(connection, "STREAM.DELETE.T");
    return reply.error?.err_code;
  };

  test.each(SOURCES)("a transform of %j", async (src) => {
    const codes = { src: 10155, dest: 10156 };
    const judged: unknown[] = [];
    for (const dest of DESTINATIONS) {
      const fault = transformFault(src, dest);
      const unknown = newerFunction(dest, version, false);
      const ours = fault ? codes[fault.end] : unknown && codes.dest;
      const theirs = await said({ subjects: ["T.>"], subject_transform: { src, dest } });
      if (theirs !== ours) judged.push({ dest, fault, unknown, theirs });
    }
    expect(judged).toEqual([]);
  });

  // White space is taken here, and never anybody's intention: we refuse it.
  test.each(SOURCES.filter((src) => !/\s/.test(src)))("a republish of %j", async (src) => {
    const judged: unknown[] = [];
    for (const dest of DESTINATIONS.filter((one) => !/^[^{]*\s/.test(one))) {
      const fault = transformFault(src, dest);
      const ours = (fault ?? newerFunction(dest, version, true)) ? 10052 : undefined;
      const theirs = await said({ subjects: ["T.>"], republish: { src, dest } });
      // ">" comes back to the stream itself: another rule's finding.
      if (dest !== ">" && theirs !== ours) judged.push({ dest, fault, theirs });
    }
    expect(judged).toEqual([]);
  });

  test("a point in time", async () => {
    const refused: string[] = [];
    for (const opt_start_time of INSTANTS) {
      const code = await said({ sources: [{ name: "origin", opt_start_time }] });
      expect([undefined, 10025]).toContain(code);
      if (code) refused.push(opt_start_time);
    }
    expect(INSTANTS.filter((text) => !isInstant(text))).toEqual(refused);
  });
}
