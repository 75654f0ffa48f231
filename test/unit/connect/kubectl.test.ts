import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { applyObjects, forwardPodPort, readSecret } from "../../../src/connect/kubectl.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import { temporaryFolder } from "../../cli/circl.ts";

afterEach(() => vi.unstubAllEnvs());

/** A kubectl that does nothing for ever; `ended` resolves once it is gone. */
function hangingKubectl(folder: string) {
  const file = join(folder, "pid");
  writeFileSync(join(folder, "kubectl"), `#!/bin/sh\necho $$ > ${file}\nexec sleep 600\n`);
  chmodSync(join(folder, "kubectl"), 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  const isGone = async () => {
    try {
      process.kill(Number(readFileSync(file, "utf8")), 0);
      return undefined;
    } catch {
      return true;
    }
  };
  return { ended: () => waitEvery(10).until(isGone, 30_000, async () => "it goes on") };
}

const CONTEXT = "gke-staging";

test.each([
  [
    "port-forward to nats-0 in ns: it forwards nothing after 1 s. Check --kubectl",
    () => forwardPodPort({ context: CONTEXT, namespace: "ns", pod: "nats-0", port: 8222 }, 1_000),
  ],
  [
    "kubectl apply to gke-staging: it gave no answer in 1 s. Check --kubectl",
    () => applyObjects(CONTEXT, [{ kind: "Secret" }], 1_000),
  ],
  [
    "kubectl get from gke-staging: it gave no answer in 1 s. Check --kubectl",
    () => readSecret(CONTEXT, { namespace: "ns", name: "nats-auth" }, 1_000),
  ],
])("a kubectl that never answers is given up and ended: %s", async (message, work) => {
  using folder = temporaryFolder();
  const { ended } = hangingKubectl(folder.path);
  await expect(work()).rejects.toMatchObject({
    name: "ConnectionFailure",
    message: expect.stringContaining(message),
  });
  expect(await ended()).toBe(true);
});
