/** What the pipeline calls exists, and its small scripts do what they say. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { blocksThatRun, circlCallsIn, page, scriptsIn, shellTexts } from "../support/ci-page.ts";
import { faultsOfCircl } from "../support/circl-words.ts";
import { realModel } from "../support/definitions.ts";
import { root, temporaryFolder } from "./circl.ts";

const run = promisify(execFile);

describe("what the workflows, the scripts and the pages call", () => {
  test("are commands of bin/circl with options that they have", async () => {
    const faults: string[] = [];
    for (const [file, text] of Object.entries(shellTexts)) {
      for (const words of circlCallsIn(text)) {
        faults.push(...(await faultsOfCircl(words)).map((fault) => `${file}: ${words.join(" ")}: ${fault}`));
      }
    }
    expect(faults).toEqual([]);
    const called = new Set(Object.values(shellTexts).flatMap((text) => circlCallsIn(text).map(([name]) => name)));
    expect([...called]).toEqual(
      expect.arrayContaining(["access", "check", "comment", "deploy", "diff", "history", "plan", "rollback", "status"]),
    );
  });

  test("are scripts that are there, and none is there for nothing", () => {
    const called = new Set(Object.values(shellTexts).flatMap(scriptsIn));
    expect([...called].sort()).toEqual(readdirSync(join(root, ".ci")).sort());
    for (const file of called) expect(statSync(join(root, ".ci", file)).mode & 0o111, file).not.toBe(0);
  });

  test.each([
    [["deploys", "staging"], ["no circl deploys"]],
    [["plan", "staging", "--everything"], ["--everything"]],
    [["identity", "made", "staging"], ["no circl identity made"]],
  ])("%j would be found", async (words, faults) => {
    expect(await faultsOfCircl(words)).toEqual(faults);
  });

  test("reach each cluster by the context that its environment names", () => {
    for (const name of ["staging", "production"] as const) {
      expect(realModel(name).environment.kubernetes).toMatchObject({ context: `gke-${name}` });
    }
    const typed = blocksThatRun("with a cluster").join("\n");
    expect(new Set([...typed.matchAll(/--kubectl (\S+)|\.ci\/\w+ \w+ (\S+)/g)].map(([, a, b]) => a ?? b))).toEqual(
      new Set(["gke-production"]),
    );
  });
});

test("the sketch for GitLab runs the same scripts, in an order that holds", () => {
  const [, sketch = ""] = /```yaml\n# \.gitlab-ci\.yml\n(.*?)^```$/ms.exec(page) ?? [];
  const {
    stages,
    image: _,
    ...jobs
  } = parse(sketch) as { stages: string[]; image: string } & Record<
    string,
    { stage?: string; extends?: string; script?: string[] }
  >;
  for (const job of Object.values(jobs).filter(({ stage }) => stage)) expect(stages).toContain(job.stage);
  const order = scriptsIn(jobs[".deploy"]?.script?.join("\n") ?? "");
  expect(order).toEqual(["unpack", "credentials", "forward"]);
});

describe(".ci/credentials", () => {
  test("that fails ends what calls it: an export of nothing would go on, and print the whole environment into a log", async () => {
    using folder = temporaryFolder();
    const typed = [...page.matchAll(/^ *(?:- )?(\.ci\/credentials .*)\n(?: *- (export .*))?/gm)];
    expect(typed.map(([, , next]) => next !== undefined)).toEqual([false, false, true]);
    for (const [, line = "", next = ""] of typed) {
      const script = ["set -e", line.replace(".ci/credentials", "false"), next].join("\n");
      const options = { cwd: folder.path, env: { CI_TOKEN: "secret" } };
      await expect(run("bash", ["-c", `${script}\nexit $?`], options)).rejects.toMatchObject({ code: 1, stdout: "" });
    }
  });

  test("leaves keys where git does not take them", async () => {
    const folders = [...page.matchAll(/\.ci\/credentials \S+ \S+ (\S+)/g)].map(
      ([, folder]) => `${folder}/stream-sync.nk`,
    );
    const { stdout } = await run("git", ["check-ignore", ...folders, "stream-sync.nk"], { cwd: root });
    expect(stdout.trim().split("\n")).toEqual([...folders, "stream-sync.nk"]);
  });

  /** A gcloud that has two documents. */
  const gcloud = (folder: string, client: string): NodeJS.ProcessEnv => {
    mkdirSync(join(folder, "bin"));
    const program = `#!/bin/sh
echo "$@" >> "${folder}/asked"
case "$*" in
  *" --secret staging-nats-client-stream-plan") echo '${client}' ;;
  *" --secret staging-nats-ca") echo "-----BEGIN CERTIFICATE-----" ;;
  *) echo "NOT_FOUND" >&2; exit 1 ;;
esac
`;
    writeFileSync(join(folder, "bin/gcloud"), program);
    chmodSync(join(folder, "bin/gcloud"), 0o755);
    return { ...process.env, PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}` };
  };
  const fetchInto = (folder: string, env: NodeJS.ProcessEnv, identity = "stream-plan") =>
    run(join(root, ".ci/credentials"), ["staging", identity, join(folder, "keys")], { env });

  test("writes files that only their owner reads, and prints by which variables bin/circl finds them", async () => {
    using folder = temporaryFolder();
    const { stdout } = await fetchInto(folder.path, gcloud(folder.path, '{"seed":"SUAEXAMPLE"}'));
    const keys = join(folder.path, "keys");
    expect(stdout).toBe(
      `CIRCL_NKEY=${keys}/stream-plan.nk\nCIRCL_INBOX_PREFIX=_INBOX_stream-plan\nCIRCL_TLS_CA=${keys}/ca.crt\n`,
    );
    expect(readFileSync(join(keys, "stream-plan.nk"), "utf8")).toBe("SUAEXAMPLE\n");
    expect(readFileSync(join(keys, "ca.crt"), "utf8")).toContain("BEGIN CERTIFICATE");
    for (const file of readdirSync(keys)) expect(statSync(join(keys, file)).mode & 0o077, file).toBe(0);
    expect(readFileSync(join(folder.path, "asked"), "utf8")).not.toContain("SUAEXAMPLE");
  });

  test("does without an authority before there is one", async () => {
    using folder = temporaryFolder();
    const env = gcloud(folder.path, '{"seed":"SUAEXAMPLE"}');
    const program = join(folder.path, "bin/gcloud");
    writeFileSync(program, readFileSync(program, "utf8").replace("staging-nats-ca", "none"));
    const { stdout, stderr } = await fetchInto(folder.path, env);
    expect(stdout).not.toContain("CIRCL_TLS_CA");
    expect(stderr).toContain("no authority of staging yet: its first deploy makes it");
  });

  test.each([
    ["a document that is not there", "stream-sync", '{"seed":"SUAEXAMPLE"}'],
    ["an identity without a key", "stream-plan", '{"user":"plan","password":"x"}'],
  ])("%s fails, and prints no variable", async (_, identity, client) => {
    using folder = temporaryFolder();
    const env = gcloud(folder.path, client);
    await expect(fetchInto(folder.path, env, identity)).rejects.toMatchObject({ stdout: "" });
  });

  test("says of a document that is no JSON which it is, and nothing of what it holds", async () => {
    using folder = temporaryFolder();
    const ended = fetchInto(folder.path, gcloud(folder.path, "SUAEXAMPLE"));
    await expect(ended).rejects.toMatchObject({
      stdout: "",
      stderr: "no seed in the document staging-nats-client-stream-plan\n",
    });
  });
});

test(".ci/token gives kubectl the token that gcloud has, for less than the minutes that gcloud leaves it", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "gcloud"), "#!/bin/sh\necho token-of-gcloud\n");
  chmodSync(join(folder.path, "gcloud"), 0o755);
  const env = { ...process.env, PATH: `${folder.path}${delimiter}${process.env.PATH}` };
  const began = Math.floor(Date.now() / 1_000) * 1_000;
  const { status, ...credential } = JSON.parse((await run(join(root, ".ci/token"), [], { env })).stdout);
  expect(credential).toEqual({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential" });
  expect(status).toEqual({ token: "token-of-gcloud", expirationTimestamp: expect.stringMatching(/:\d\dZ$/) });
  expect(Date.parse(status.expirationTimestamp)).toBeGreaterThanOrEqual(began + 180_000);
});
