/** What the README tells a newcomer to type, typed. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SECRETS } from "../../src/kubernetes/secrets.ts";
import { checkModel } from "../../src/rules/index.ts";
import { followerConfig, leaderConfig } from "../../src/tile38/server-config.ts";
import { realModel } from "../support/definitions.ts";
import { Cluster } from "../support/nats-server.ts";
import { without } from "../support/tools.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "circl-readme-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the block of `## Local` with a kubectl that keeps what it is given. */
function makeSecrets(): Record<string, Record<string, string>> {
  const block = /## Local[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const kubectl = `#!/bin/sh
[ "$1" = apply ] && exit 0
secret=$6 && file=\${7#--from-file=} && mkdir -p "${folder}/made/$secret" && cp "\${file#*=}" "${folder}/made/$secret/\${file%%=*}"\n`;
  writeFileSync(join(bin, "kubectl"), kubectl);
  chmodSync(join(bin, "kubectl"), 0o755);
  execFileSync("sh", ["-euc", block], { cwd: folder, env: { PATH: `${bin}${delimiter}${process.env.PATH}` } });
  return Object.fromEntries(
    SECRETS.map(({ name, file }) => [name, { [file]: readFileSync(join(folder, "made", name, file), "utf8") }]),
  );
}

test("the README says what circl check really says", () => {
  for (const { code, place, says } of checkModel(realModel("production"))) {
    expect(readme).toContain(`${code} ${place} ${says} (production)`);
  }
});

describe.skipIf(without("nats-server"))("the README's local Secrets", () => {
  test("are those that the pods mount, and what the servers take", async () => {
    const model = realModel("local");
    const secrets = makeSecrets();
    const { requirepass } = JSON.parse(secrets["tile38-leader-config"]?.config ?? "{}");
    expect(requirepass).toMatch(/^[0-9a-f]{48}$/);
    expect(JSON.parse(secrets["tile38-leader-config"]?.config ?? "")).toEqual(leaderConfig(model, requirepass));
    expect(JSON.parse(secrets["tile38-follower-config"]?.config ?? "")).toEqual(followerConfig(model, requirepass));

    const auth = secrets["nats-auth"]?.["auth.conf"] ?? "";
    await using cluster = await Cluster.start(model, { auth });
    await expect(cluster.connect({ user: "circl", pass: "wrong" })).rejects.toThrow(/authorization/i);
    const connection = await cluster.connect({
      user: "circl",
      pass: /"circl", password: "(\w+)"/.exec(auth)?.[1] ?? "",
    });
    expect(await (await connection.jetstreamManager()).getAccountInfo()).toMatchObject({ streams: 0 });
    await connection.close();
  });
});
