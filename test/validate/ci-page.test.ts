/** docs/ci.md typed as it stands, in a clone of its own, as far as no cluster is needed. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkoutAs, personAtGit } from "../support/checkout.ts";
import { blocksThatRun } from "../support/ci-page.ts";

const run = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), "circl-ci-page-"));
const clone = join(scratch, "clone");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const shell = (script: string, cwd = clone) =>
  run("bash", ["-euo", "pipefail", "-c", script], { cwd, env: personAtGit, maxBuffer: 2 ** 24 });
const said = (file: string): string => readFileSync(join(clone, file), "utf8");

describe("the steps of docs/ci.md that need no cluster", { timeout: 600_000 }, () => {
  const [change = "", release = "", ...more] = blocksThatRun("without a cluster");
  beforeAll(() => checkoutAs(clone));

  test("are two blocks", () => {
    expect(more).toEqual([]);
    expect(change).toContain(".ci/preview");
    expect(release).toContain(".ci/release");
  });

  test("show what a change does", async () => {
    await shell(change);
    const comment = said("comment.md");
    expect(comment.startsWith("<!-- circl comment -->\n")).toBe(true);
    const headings = [...comment.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading);
    expect(headings).toHaveLength(9);
    expect(headings.filter((heading) => heading?.includes("production"))).toEqual([
      expect.stringMatching(/^Manifests of production: 0 to create, \d+ to change, .*Pods are replaced\.$/),
      "Access to production: no changes",
      "Definitions of streams of production: no changes",
    ]);
    expect(
      headings.filter((heading) => /^Manifests of (staging|local): No changes\./.test(heading ?? "")),
    ).toHaveLength(2);
    expect(comment).toContain("StatefulSet");
  });

  test("say in the comment what is wrong with definitions, and fail", async () => {
    await shell(`sed -i 's/nats: { memory: "10GiB", /nats: { servers: 4, /' environments/production.ts`);
    await expect(shell(".ci/preview HEAD > broken.md")).rejects.toMatchObject({ code: 1 });
    expect(said("broken.md")).toContain("### The definitions break rules");
    expect(said("broken.md")).toContain("nats.servers is 4");
    await shell("git checkout --quiet -- .");
  });

  test("make a release of the commit, the same again, and lay it over the checkout", async () => {
    rmSync(join(clone, "node_modules"), { recursive: true });
    await shell(release);
    const digest = said("release.sha256").trim();
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect((await shell("npm ls --omit=dev --json")).stdout).toContain('"cdk8s"');
    expect((await shell("bin/circl --version && ! ls node_modules/vitest 2>&1")).stdout).toMatch(/^\d+\.\d+\.\d+\n/);
    expect((await shell(".ci/release HEAD again.tar.gz")).stdout.trim()).toBe(digest);
  });

  test("and take no other artefact, nor one of another commit", async () => {
    await expect(shell(`.ci/unpack release.tar.gz ${"0".repeat(64)}`)).rejects.toMatchObject({
      stderr: expect.stringContaining("did NOT match"),
    });
    await shell("echo >> README.md && git commit --quiet --all --message later");
    await expect(shell('.ci/unpack release.tar.gz "$(cat release.sha256)"')).rejects.toMatchObject({
      stderr: expect.stringMatching(/release\.tar\.gz was made of another commit than [0-9a-f]{40}/),
    });
    await shell("git checkout --quiet -- .");
  });

  test("refuse to release a commit whose dist is stale", async () => {
    await shell("echo '# stale' >> dist/production/00-namespace.k8s.yaml && git commit --quiet --all --message stale");
    await expect(shell(".ci/release HEAD stale.tar.gz")).rejects.toMatchObject({
      stderr: expect.stringContaining("is not what synth writes"),
    });
    expect(existsSync(join(clone, "stale.tar.gz"))).toBe(false);
  });
});
