/** What the README and docs/first-deploy.md tell a newcomer to type, typed. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import pc from "picocolors";
import { afterAll, describe, expect, test } from "vitest";
import { renderPlan } from "../../src/cli/output/plan.ts";
import { openReader } from "../../src/connect/nats.ts";
import { desiredState } from "../../src/jetstream/desired.ts";
import { plan } from "../../src/jetstream/plan.ts";
import { mountedSecrets } from "../../src/kubernetes/secrets.ts";
import { policy } from "../../src/rules/changes.ts";
import { checkModel } from "../../src/rules/index.ts";
import { followerConfig, leaderConfig } from "../../src/tile38/server-config.ts";
import { realModel } from "../support/definitions.ts";
import { createAll } from "../support/jetstream.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const page = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "circl-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the lines of `## Local` up to the apply, with a kubectl that keeps what it is given. */
function makeSecrets(): Record<string, Record<string, string>> {
  const block = /## Local[\s\S]*?```sh\n([\s\S]*?)```/.exec(page("docs/first-deploy.md"))?.[1] ?? "";
  const [, create = "", apply = ""] = block.trim().split("\n");
  expect(apply).toMatch(
    /^bin\/circl apply local --kubectl \S+ --nkey local-secrets\/circl-backbone-stream-sync\/nats.nk /,
  );
  const bin = join(folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "kubectl"), `#!/bin/sh\ncat >"${folder}/sent.json"\n`);
  chmodSync(join(bin, "kubectl"), 0o755);
  const command = create.replace("bin/circl", fileURLToPath(new URL("../../bin/circl", import.meta.url)));
  execFileSync("sh", ["-euc", command], {
    cwd: folder,
    env: { PATH: `${bin}${delimiter}${process.env.PATH}` },
    stdio: "pipe",
  });
  interface Sent {
    readonly kind: string;
    readonly metadata: { readonly name: string };
    readonly data: Readonly<Record<string, string>>;
  }
  const { items } = JSON.parse(readFileSync(join(folder, "sent.json"), "utf8")) as { readonly items: readonly Sent[] };
  const text = (data: Sent["data"]) =>
    Object.fromEntries(Object.entries(data).map(([file, base64]) => [file, Buffer.from(base64, "base64").toString()]));
  return Object.fromEntries(
    items.filter(({ kind }) => kind === "Secret").map(({ metadata, data }) => [metadata.name, text(data)]),
  );
}

test("the README says what circl check really says", () => {
  const readme = page("README.md");
  for (const { code, place, says } of checkModel(realModel("production"))) {
    expect(readme).toContain(`${code} ${place} ${says} (production)`);
  }
});

describe.skipIf(without("nats-server"))("local Secrets", () => {
  test("are those that the pods mount, and what the servers take", async () => {
    const model = realModel("local");
    const secrets = makeSecrets();
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining([...mountedSecrets(model)]));
    const { requirepass } = JSON.parse(secrets["tile38-leader-config"]?.config ?? "{}");
    expect(requirepass).toMatch(/^[A-Za-z0-9]{43}$/);
    expect(JSON.parse(secrets["tile38-leader-config"]?.config ?? "")).toEqual(leaderConfig(model, requirepass));
    expect(JSON.parse(secrets["tile38-follower-config"]?.config ?? "")).toEqual(followerConfig(model, requirepass));

    await using cluster = await Cluster.start(model, { auth: secrets["nats-auth"]?.["auth.conf"] ?? "" });
    const { user: _, password: __, ...target } = cluster.target();
    const own = join(folder, "local-secrets/circl-backbone-stream-sync/nats.nk");
    await using reader = await openReader({ ...target, nkeyFile: own, inboxPrefix: "_INBOX_stream-sync" });
    expect(await reader.read("INFO")).toMatchObject({ streams: 0 });
  });
});

describe.skipIf(without("nats-server"))("streams on a live cluster", () => {
  test("a server that has something gets the plan that the README shows", async () => {
    const [, shown = ""] = /```\n\$ bin\/circl plan local\n(.*?)\n```/s.exec(page("README.md")) ?? [];
    const model = realModel("local");
    await using cluster = await Cluster.start(model);
    const connection = await cluster.connect();
    const { streams, consumers } = desiredState(model);
    const older: Readonly<Record<string, object>> = {
      circl_dlq: { max_msgs: 200_000 },
      circl_lock: { storage: "memory" },
      circl_oms: { max_age: 86_400e9 },
    };
    await createAll(connection, {
      streams: streams.map((config) => ({ ...config, ...older[String(config.name)] })),
      consumers: consumers.filter(({ config }) => config.name !== "bff-orders"),
    });
    for (let i = 0; i < 100_020; i++) connection.publish("circl.dlq.iot.location.updated");
    const stored = async () => (await (await connection.jetstreamManager()).streams.info("circl_dlq")).state.messages;
    await expect.poll(stored, { timeout: 30_000 }).toBe(100_020);
    await connection.close();
    await using reader = await openReader(cluster.target());
    const planned = await plan(model, reader, policy, Date.now() * 1e6);
    const printed = renderPlan(planned, { colours: pc.createColors(false), width: 100 });
    expect(printed.replaceAll(cluster.target().servers.join(), "127.0.0.1:4222")).toBe(shown);
  });
});
