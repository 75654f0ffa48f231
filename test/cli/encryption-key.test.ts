/** `finish encryption-key --kubectl`: what the pods say counts, not a word for them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { markOf } from "../../src/nats/encryption-script.ts";
import { circl, temporaryFolder } from "./circl.ts";

const said = (words: string) => `[encryption] files are encrypted with aes and ${words}\n`;

test("the previous encryption key ends when the log of every pod says that its volume has the current one", async () => {
  using folder = temporaryFolder();
  const logs = join(folder.path, "logs");
  mkdirSync(logs);
  // kubectl as `finish` calls it: --context C logs POD --namespace N --container encryption.
  const kubectl = `#!/bin/sh\n[ "$3 $5 $6 $7 $8" = "logs --namespace circl-backbone --container encryption" ] || exit 9\ncat ${logs}/$4\n`;
  writeFileSync(join(folder.path, "kubectl"), kubectl, { mode: 0o755 });
  const env = { PATH: `${folder.path}${delimiter}${process.env.PATH}` };
  const store = ["--store", join(folder.path, "store")];
  const key = () => JSON.parse(readFileSync(join(folder.path, "store/staging-nats-encryption-key.json"), "utf8"));
  const identity = (...args: string[]) => circl(["identity", ...args, ...store], { env });
  const finish = () => identity("finish", "staging", "encryption-key", "--kubectl", "gke-staging", "--auto-approve");
  const log = (pod: number, text: string) => writeFileSync(join(logs, `nats-${pod}`), text);

  await identity("create", "staging", "encryption-key");
  await identity("rotate", "staging", "encryption-key");
  const { current, previous } = key();
  log(0, said(`the current key (${markOf(current)})`));
  // It has kept its volume, and started when the key that it has was the current one.
  log(1, said(`the current key (${markOf(previous)})`));
  log(2, said(`the previous key (${markOf(previous)})`));
  const refused = await finish();
  expect(refused).toMatchObject({ code: 3, stdout: "" });
  expect(refused.stderr).toContain("Nothing was finished: not every volume has the current key.\n- nats-1: its volume");
  expect(refused.stderr).toContain(`- nats-2: its volume has the key ${markOf(previous)}, the current one is`);
  expect(refused.stderr).not.toContain("- nats-0");

  log(1, `${said(`the previous key (${markOf(previous)})`)}${said(`the current key (${markOf(current)})`)}`);
  log(2, said("the current key"));
  const unknown = await finish();
  expect(unknown).toMatchObject({ code: 3, stdout: "" });
  expect(unknown.stderr).toContain("Not every volume could be seen.\n- nats-2: its log does not say which key it has");
  expect(unknown.stderr).toContain("there is nobody to ask. Without --kubectl, --auto-approve is your word.");
  expect(unknown.stderr).not.toMatch(/- nats-[01]/);
  expect(key()).toEqual({ current, previous });

  log(2, said(`the current key (${markOf(current)})`));
  const finished = await finish();
  expect(finished).toMatchObject({ code: 0, stdout: expect.stringContaining("+  encryption-key  finished: ") });
  expect(finished.stderr).toContain("nats-0, nats-1, nats-2: every volume has the current key.\n");
  expect(key()).toEqual({ current, previous: "" });
  for (const text of [refused, unknown, finished].flatMap(({ stdout, stderr }) => [stdout, stderr])) {
    for (const secret of [current, previous]) expect(text).not.toContain(secret);
  }
});

test("a pod whose log cannot be read is said, and nobody's word is taken for it unasked", async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "kubectl"), "#!/bin/sh\necho 'error: pods is forbidden' >&2\nexit 1\n", {
    mode: 0o755,
  });
  const env = { PATH: `${folder.path}${delimiter}${process.env.PATH}` };
  const all = ["staging", "encryption-key", "--store", join(folder.path, "store")];
  await circl(["identity", "create", ...all]);
  await circl(["identity", "rotate", ...all]);
  const { code, stderr } = await circl(["identity", "finish", ...all, "--kubectl", "gke-staging", "--auto-approve"], {
    env,
  });
  expect(code).toBe(3);
  expect(stderr).toContain("- nats-0: kubectl logs from gke-staging: error: pods is forbidden.");
  expect(stderr).toContain("Nothing was finished: there is nobody to ask.");
  expect((await circl(["identity", "finish", ...all, "--auto-approve"])).code).toBe(0);
});
