import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { forwardPodPort } from "../../../src/connect/kubectl.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { temporaryFolder } from "../../cli/circl.ts";

test("a kubectl that never forwards is given up and ended", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "pid");
  writeFileSync(join(folder.path, "kubectl"), `#!/bin/sh\necho $$ > ${file}\nexec sleep 600\n`);
  chmodSync(join(folder.path, "kubectl"), 0o755);
  vi.stubEnv("PATH", `${folder.path}:${process.env.PATH}`);
  const pod = { context: "gke-staging", namespace: "ns", pod: "nats-0", port: 8222 };
  try {
    await expect(forwardPodPort(pod, 1_000)).rejects.toMatchObject({
      name: "ConnectionFailure",
      message: expect.stringContaining("port-forward to nats-0 in ns: it forwards nothing after 1 s. Check --kubectl"),
    });
  } finally {
    vi.unstubAllEnvs();
  }
  const pid = Number(readFileSync(file, "utf8"));
  const isGone = async () => {
    try {
      process.kill(pid, 0);
      return undefined;
    } catch {
      return true;
    }
  };
  expect(await waitEvery(10).until(isGone, 30_000, async () => "it goes on")).toBe(true);
});
