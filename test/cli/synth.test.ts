import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { synth } from "../../src/cli/commands/synth.ts";
import { realDefinitions } from "../support/definitions.ts";
import { circl, contentOf, repositoryCopy, runNode, temporaryFolder } from "./circl.ts";

describe("circl synth", () => {
  test("gives the same bytes twice, in folders that need not exist, relative to the current one", async () => {
    using folder = temporaryFolder();
    for (const out of ["deep/first", "second"]) {
      const { code, stdout, stderr } = await circl(["synth", "--out", out], { cwd: folder.path });
      expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
      expect(stderr).toContain(`wrote ${out}/staging\nwrote ${out}/production\nwrote ${out}/local\n`);
    }
    const first = contentOf(join(folder.path, "deep/first"));
    expect(Object.keys(first)).toContain("production/30-nats.k8s.yaml");
    expect(contentOf(join(folder.path, "second"))).toEqual(first);
    expect(readdirSync(join(folder.path, "second")).sort()).toEqual(["local", "production", "staging"]);
  });

  test("`cdk8s synth` gives the same bytes", async () => {
    using folder = temporaryFolder();
    const [ours, theirs] = [join(folder.path, "ours"), join(folder.path, "theirs")];
    await circl(["synth", "--out", ours]);
    const { code } = await runNode(["node_modules/.bin/cdk8s", "synth", "--output", theirs], {
      env: { CDK8S_CHECK_UPGRADE: "false" },
    });
    expect(code).toBe(0);
    expect(contentOf(theirs)).toEqual(contentOf(ours));
  });

  test("finishes what it writes when interrupted, and exits with 130 so that nothing follows", async () => {
    using folder = temporaryFolder();
    await circl(["synth", "--out", join(folder.path, "whole")]);
    const interrupting = join(folder.path, "interrupting.mjs");
    writeFileSync(
      interrupting,
      `import fs from "node:fs";
       const { writeFileSync } = fs;
       fs.writeFileSync = (...args) => {
         process.kill(process.pid, "SIGINT");
         writeFileSync(...args);
       };
       (await import("node:module")).syncBuiltinESMExports();`,
    );
    const outcome = await circl(["synth", "--out", join(folder.path, "interrupted")], {
      env: { NODE_OPTIONS: `--import=${interrupting}` },
    });
    expect(outcome).toMatchObject({ code: 130, stdout: "" });
    expect(outcome.stderr).toMatch(/interrupted; what is written is complete\n$/);
    expect(contentOf(join(folder.path, "interrupted"))).toEqual(contentOf(join(folder.path, "whole")));
  });

  test("removes the folder of an environment that is no more, and only such a one", async () => {
    using out = temporaryFolder();
    await synth(realDefinitions, ["staging", "local"], out.path);
    mkdirSync(join(out.path, "notes"));
    writeFileSync(join(out.path, "notes", "00-namespace.txt"), "not ours");
    const { local: _, ...others } = realDefinitions.environments;
    const partial = await synth({ ...realDefinitions, environments: others }, ["staging"], out.path);
    expect(partial.removed).toEqual([]);
    const all = await synth({ ...realDefinitions, environments: others }, ["staging", "production"], out.path);
    expect(all.removed).toEqual(["local"]);
    expect(readdirSync(out.path).sort()).toEqual(["notes", "production", "staging"]);
  });

  test("does not replace a folder that holds something else", async () => {
    using out = temporaryFolder();
    mkdirSync(join(out.path, "staging"));
    writeFileSync(join(out.path, "staging", "thesis.md"), "years of work");
    const { code, stderr } = await circl(["synth", "--out", out.path]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*staging holds thesis\.md, which synth did not write.*\n.*--out\.\n$/);
    expect(contentOf(out.path)).toEqual({ "staging/thesis.md": "years of work" });
  });

  test("puts back what a killed synth had moved aside, and clears what it had begun", async () => {
    using out = temporaryFolder();
    await synth(realDefinitions, ["local"], out.path);
    const { pid = 0 } = (await import("node:child_process")).spawnSync("true");
    mkdirSync(join(out.path, `.staging.old-${pid}`));
    writeFileSync(join(out.path, `.staging.old-${pid}`, "00-namespace.k8s.yaml"), "old");
    mkdirSync(join(out.path, `.local.new-${pid}`));
    await synth(realDefinitions, ["local"], out.path);
    expect(readdirSync(out.path).sort()).toEqual(["local", "staging"]);
  });
});

describe("a failing synth", () => {
  test("leaves dist as it was and says what is wrong", async () => {
    using copy = repositoryCopy();
    expect((await circl(["synth"], { root: copy.path })).code).toBe(0);
    const before = contentOf(join(copy.path, "dist"));
    appendFileSync(
      join(copy.path, "streams/services.ts"),
      '\nObject.assign(services, { iot: { descripton: "x" } });\n',
    );
    const { code, stdout, stderr } = await circl(["synth"], { root: copy.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      "error S001 streams/services.ts: iot.descripton does not exist (staging, production, local)",
    );
    expect(stderr).toMatch(/\n2 errors: nothing was written\. More may show once these are mended\.\n$/);
    expect(contentOf(join(copy.path, "dist"))).toEqual(before);
  });

  test("says how to get dist back where `cdk8s synth` has deleted it", async () => {
    using copy = repositoryCopy();
    appendFileSync(join(copy.path, "streams/services.ts"), "\nObject.assign(services, { iot: {} });\n");
    const env = { CDK8S_OUTDIR: "dist" };
    const deleted = await circl(["synth"], { root: copy.path, env });
    expect(deleted.code).toBe(1);
    expect(deleted.stderr).toContain(
      "Get it back with `git checkout -- dist`, or with `npm run synth` once this is mended.",
    );
    mkdirSync(join(copy.path, "dist"));
    expect((await circl(["synth"], { root: copy.path, env })).stderr).not.toContain("git checkout");
  });
});
