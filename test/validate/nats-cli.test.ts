import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { desiredState } from "../../src/jetstream/desired.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { tool, without } from "../support/tools.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "circl-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes `config` to a file. @returns its path */
function file(config: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe.skipIf(without("nats-server", "nats-cli"))("the nats command", () => {
  test("adds every stream and every consumer that `circl show --json` prints", async () => {
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const nats = (...args: string[]) => run(tool("nats-cli"), [...args, "--server", cluster.url()]);
    const { streams, consumers } = desiredState(model);
    for (const config of streams) await nats("stream", "add", "--config", file(config));
    for (const { stream_name, config } of consumers)
      await nats("consumer", "add", stream_name, "--config", file(config));
    const { stdout } = await nats("stream", "list", "--names");
    expect(stdout.trim().split("\n").sort()).toEqual(streams.map(({ name }) => name).sort());
  });
});
