import pc from "picocolors";
import { describe, expect, test } from "vitest";
import { importFound } from "../../src/cli/commands/import.ts";
import { renderDefinitions } from "../../src/cli/output/definitions.ts";
import { renderPlan } from "../../src/cli/output/plan.ts";
import { openReader } from "../../src/connect/nats.ts";
import { importStream } from "../../src/jetstream/import.ts";
import { findLive } from "../../src/jetstream/import-live.ts";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";
import { changesAfterImport, planAfterImport } from "./imported.ts";
import { evaluate, typeErrors } from "./printed-definitions.ts";

const MINUTE = 60e9;
/** A bucket as nats.go, the command line and Terraform make it. */
const bucket = (name: string, more: object = {}) => ({
  name: `KV_${name}`,
  subjects: [`$KV.${name}.>`],
  max_msgs_per_subject: 1,
  max_bytes: 1_048_576,
  discard: "new",
  allow_rollup_hdrs: true,
  allow_direct: true,
  deny_delete: true,
  ...more,
});

describe.skipIf(without("nats-server"))("buckets and object stores of a live server", () => {
  test("come as definitions of buckets, and the plan has nothing to do but to mark them", async () => {
    await using cluster = await Cluster.start(realModel("local"));
    const connection = await cluster.connect();
    const { views } = connection.jetstream();
    // nats.js leaves deny_delete out.
    const kv = await views.kv("flags", { history: 8, ttl: 90_000, max_bytes: 1_048_576, maxValueSize: 4_096 });
    await kv.put("dark", "on");
    await views.os("photos", { description: "Faces", ttl: 3_600 * 1e9, max_bytes: 10_485_760 });
    const { subjects: _, ...copy } = bucket("near", { mirror: { name: "KV_plain" }, mirror_direct: true });
    for (const config of [
      bucket("plain"),
      bucket("full", {
        description: "All of it",
        max_age: 5 * MINUTE,
        storage: "memory",
        compression: "s2",
        metadata: { team: "iot" },
        republish: { src: "$KV.full.>", dest: "copies.>" },
        allow_msg_ttl: true,
        subject_delete_marker_ttl: MINUTE,
      }),
      copy,
      bucket("odd", { discard: "old" }),
    ]) {
      expect((await request(connection, `STREAM.CREATE.${config.name}`, config)).error).toBeUndefined();
    }
    await connection.close();

    await using reader = await openReader(cluster.target());
    const report = importFound(await findLive(reader), "local");
    expect(report.problems).toEqual([]);
    expect(report.notes).toEqual([]);
    const text = renderDefinitions(report.streams);
    for (const line of [
      'import { defineBucket, defineObjectStore } from "../src/model/bucket.ts";',
      '  publishers: [{ service: "unknown", subject: "$KV.flags.>", data: { sensitivity: "unstated" } }],',
      "  history: 8,",
      '  maxValueSize: "4KiB",',
      "  denyDelete: false,",
      '  republish: { src: "$KV.full.>", dest: "copies.>" },',
      '  markerTtl: "1m",',
      '  metadata: { team: "iot" },',
      '  mirrorOf: "plain",',
      'const photos = defineObjectStore({\n  bucket: "photos",\n  description: "Faces",',
      'const plain = defineBucket({\n  bucket: "plain",\n  replicas: 1,\n  maxBytes: "1MiB",\n});',
      // No client makes one that discards old values: it stays a stream, and S019 or its clients have the word.
      '  kind: "kv",\n',
    ]) {
      expect(text).toContain(line.endsWith("\n") ? line : `${line}\n`);
    }
    expect(text.match(/= defineStream\(/g)).toHaveLength(1);
    const { streams } = await evaluate(text);
    expect(streams).toEqual(report.streams.map(({ definition }) => definition));
    expect(typeErrors(text)).toBe("");
    const printed = renderPlan(await planAfterImport(cluster, report.streams), {
      colours: pc.createColors(false),
      width: 100,
    });
    expect(printed).toContain("\n~ stream KV_flags  adopt: nothing changes but that it is marked as ours\n");
    expect(printed).toMatch(
      /\nPlan: 0 to create, 6 to update, 0 to delete, 0 blocked\. 6 of these only adopt what is there\.$/,
    );
    const changes = await changesAfterImport(cluster, report.streams);
    expect(changes).toEqual(
      ["KV_flags", "KV_full", "KV_near", "KV_odd", "KV_plain", "OBJ_photos"].map((name) => `${name}: metadata`),
    );
  });
});

test("sessions of MQTT belong to their clients", () => {
  const { streams, notes } = importFound(
    { streams: [{ config: { name: "$MQTT_sess" }, consumers: [] }], problems: [] },
    "local",
  );
  expect(streams).toEqual([]);
  expect(notes).toEqual([{ name: "$MQTT_sess", says: "is left out: MQTT sessions belong to clients" }]);
});

test("a variable does not take the name of what it is made with", () => {
  const found = ["defineBucket", "delete"].map((name) => importStream({ config: bucket(name), consumers: [] }, []));
  expect(renderDefinitions(found)).toMatch(/export const streams = \[defineBucket2, streamDelete\];\n$/);
});
