/** encryption.sh on real folders: which key a volume gets, and which volumes must not start. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encryptionScript, markIn, markOf } from "../../src/nats/encryption-script.ts";
import { tool, without } from "../support/tools.ts";

const [A, B, C] = ["a", "b", "c"].map((letter) => letter.repeat(43)) as [string, string, string];

describe.skipIf(without("busybox"))("encryption.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "circl-encryption-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "encryption.sh"), encryptionScript);
  let volumes = 0;

  /** A volume; `start` runs the script on it as the init container does, in a pod of its own. */
  function volume() {
    const root = join(folder, `volume-${volumes++}`);
    mkdirSync(join(root, "data/jetstream"), { recursive: true });
    return {
      data: join(root, "data"),
      start(cipher: string, current: string, previous = "") {
        for (const name of ["keys", "key"]) {
          rmSync(join(root, name), { recursive: true, force: true });
          mkdirSync(join(root, name));
        }
        writeFileSync(join(root, "keys/current"), current);
        writeFileSync(join(root, "keys/previous"), previous);
        const paths = ["keys", "data", "key/key.conf"].map((name) => join(root, name));
        const script = join(folder, "encryption.sh");
        const { status, stdout, stderr } = spawnSync(tool("busybox"), ["sh", script, cipher, ...paths], {
          encoding: "utf8",
        });
        const file = join(root, "key/key.conf");
        const there = existsSync(file);
        if (there) expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
        return { code: status, said: stdout + stderr, config: there ? readFileSync(file, "utf8") : undefined };
      },
    };
  }

  const config = (cipher: string, key: string) => `cipher: "${cipher}"\nkey: "${key}"\n`;

  test("an empty volume begins with the current key and keeps it through a rotation", () => {
    const { start } = volume();
    expect(start("aes", A)).toMatchObject({ code: 0, config: config("aes", A) });
    expect(start("aes", A)).toMatchObject({ code: 0, config: config("aes", A) });
    const rotated = start("aes", B, A);
    expect(rotated).toMatchObject({ code: 0, config: config("aes", A) });
    expect(rotated.said).toContain("this volume keeps the previous key");
    expect(volume().start("aes", B, A)).toMatchObject({ code: 0, config: config("aes", B) });
  });

  test("a line feed behind a key makes no other key of it, nor does one in the note of an earlier version", () => {
    for (const [first, second] of [
      [A, `${A}\n`],
      [`${A}\n`, A],
    ] as const) {
      const { start } = volume();
      start("aes", first);
      expect(start("aes", second)).toMatchObject({ code: 0, config: config("aes", A) });
      expect(start("aes", B, second)).toMatchObject({ code: 0, config: config("aes", A) });
    }
    const { start, data } = volume();
    for (const file of [A, `${A}\n`]) {
      writeFileSync(join(data, "encryption"), `aes ${createHash("sha256").update(file).digest("hex")}\n`);
      for (const now of [A, `${A}\n`]) {
        expect(start("aes", now)).toMatchObject({ code: 0, config: config("aes", A) });
        expect(start("aes", B, now)).toMatchObject({ code: 0, config: config("aes", A) });
      }
      expect(start("aes", B, C)).toMatchObject({ code: 1 });
    }
  });

  test("the log marks the key that the volume has, and says nothing of another", () => {
    const { start } = volume();
    expect(markIn(start("aes", `${A}\n`).said)).toBe(markOf(A));
    const kept = start("aes", B, A);
    expect([markIn(kept.said), kept.said.includes(A)]).toEqual([markOf(A), false]);
    expect(markIn(volume().start("aes", B, A).said)).toBe(markOf(B));
    expect(markIn(volume().start("aes", "short").said)).toBeUndefined();
    expect(markOf(A)).not.toBe(markOf(B));
  });

  test("a volume keeps its cipher", () => {
    const { start } = volume();
    start("chacha", A);
    expect(start("aes", A)).toMatchObject({ code: 0, config: config("chacha", A) });
  });

  test("a volume does not start when its key is gone, and starts when it is back", () => {
    const { start } = volume();
    start("aes", A);
    const refused = start("aes", C, B);
    expect(refused).toMatchObject({ code: 1, config: undefined });
    expect(refused.said).toContain("neither the current nor the previous one. Bring back its version");
    expect(start("aes", C, A)).toMatchObject({ code: 0, config: config("aes", A) });
  });

  test("an encrypted volume does not start without encryption, with the note of its key or without", () => {
    const { start, data } = volume();
    start("aes", A);
    expect(start("none", "").said).toContain("REFUSED: this volume is encrypted and nats.encryption is none");
    rmSync(join(data, "encryption"));
    mkdirSync(join(data, "jetstream/CIRCL/streams/circl_iot"), { recursive: true });
    writeFileSync(join(data, "jetstream/CIRCL/streams/circl_iot/meta.key"), "x");
    expect(start("none", "")).toMatchObject({ code: 1, config: undefined });
    expect(volume().start("none", "")).toMatchObject({ code: 0, config: undefined });
  });

  test.each([
    ["no key", "", ""],
    ["a short key", "short", ""],
    ["a key that would end the string", `${A}"`, ""],
    ["a key of several lines", `${A}\n${B}\n`, ""],
    ["a broken previous key", A, 'x"'],
  ])("does not start with %s, and does not say it", (_, current, previous) => {
    const { code, said, config: written } = volume().start("aes", current, previous);
    expect({ code, written }).toEqual({ code: 1, written: undefined });
    expect(said).toMatch(/REFUSED: the (current|previous) key is not 32 or more letters and digits/);
    for (const key of [A, B, "short"]) expect(said).not.toContain(key);
  });

  test("does not start with a note that was cut off", () => {
    const { start, data } = volume();
    writeFileSync(join(data, "encryption"), "");
    expect(start("aes", A).said).toContain("is broken: it must hold the cipher and the hash of the key");
  });
});
