/** Why two sources of one origin are refused (S053): what the exporter says of a stream that has them. */
import { expect, test } from "vitest";
import { realModel } from "../support/definitions.ts";
import { request } from "../support/jetstream.ts";
import { NatsExporter } from "../support/nats-exporter.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const model = realModel("local");
const SUBJECTS = ["origin.a", "origin.b"];

test.skipIf(without("nats-server", "nats-exporter"))(
  "two sources of one origin, which the server takes, and its exporter says nothing any more; with transforms it says all",
  async () => {
    await using cluster = await Cluster.start(model);
    const [server] = cluster.servers;
    if (!server) throw new Error("there is no server");
    await using exporter = await NatsExporter.start(model, server);
    const connection = await cluster.connect();
    const create = (name: string, config: object) => request(connection, `STREAM.CREATE.${name}`, { name, ...config });
    expect((await create("origin", { subjects: ["origin.>"] })).error).toBeUndefined();
    const twice = SUBJECTS.map((filter_subject) => ({ name: "origin", filter_subject }));
    expect((await create("copy", { sources: twice })).error).toBeUndefined();
    await expect
      .poll(() => exporter.scrape().catch((error: Error) => error.message), { timeout: 30_000 })
      .toMatch(/answers 500$/);

    expect((await request(connection, "STREAM.DELETE.copy")).error).toBeUndefined();
    const subject_transforms = SUBJECTS.map((src) => ({ src, dest: src }));
    expect((await create("copy", { sources: [{ name: "origin", subject_transforms }] })).error).toBeUndefined();
    for (const subject of [...SUBJECTS, "origin.c"]) await connection.jetstream().publish(subject);
    await expect
      .poll(() => exporter.scrape().catch((error: Error) => error.message), { timeout: 30_000 })
      .toMatch(/^nats_stream_source_lag\{.*source_name="origin".*\} 0$/m);
    await expect.poll(() => request(connection, "STREAM.INFO.copy")).toMatchObject({ state: { messages: 2 } });
    await connection.close();
  },
  120_000,
);
