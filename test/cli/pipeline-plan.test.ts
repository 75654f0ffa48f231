/** What a job says where nobody is there yet, and in which order it trusts what it was given. */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { workflows } from "../support/workflows.ts";
import { root, temporaryFolder } from "./circl.ts";

const run = promisify(execFile);

describe(".ci/plan", () => {
  test("says that nobody answered, and fails no change for it", async () => {
    using folder = temporaryFolder();
    const env = { ...process.env, KUBECONFIG: join(folder.path, "none") };
    const { stdout } = await run(join(root, ".ci/plan"), ["staging", "gke-staging"], { env });
    expect(stdout).toMatch(
      /^<!-- circl plan staging -->\n### Streams of staging: not planned, its servers were not asked\n\n {4}.*(gke-staging|kubectl).*\n\n/,
    );
  });

  test.each([
    [0, "### the plan"],
    [3, "### the plan"],
    [64, "### the plan"],
  ])("ends with %i where the plan does", async (code, says) => {
    using folder = temporaryFolder();
    for (const name of [".ci", "bin"]) mkdirSync(join(folder.path, name));
    cpSync(join(root, ".ci/plan"), join(folder.path, ".ci/plan"));
    writeFileSync(join(folder.path, "bin/circl"), `#!/bin/sh\necho "### the plan"\nexit ${code}\n`);
    chmodSync(join(folder.path, "bin/circl"), 0o755);
    const ended = await run(join(folder.path, ".ci/plan"), ["staging", "gke-staging"]).then(
      ({ stdout }) => ({ code: 0, stdout }),
      ({ code, stdout }) => ({ code, stdout }),
    );
    expect(ended).toEqual({ code, stdout: `${says}\n` });
  });
});

test("an artefact is unpacked only once it is known who built it", () => {
  const text = workflows["workflows/deploy-environment.yaml"] ?? "";
  const places = ["gh attestation verify", ".ci/unpack", "log-in", "bin/circl deploy"].map((part) =>
    text.indexOf(part),
  );
  expect(places.every((place) => place > 0)).toBe(true);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});
