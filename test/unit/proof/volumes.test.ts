import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeAtomically } from "../../../src/proof/agent/atomic-folder.ts";
import { environmentOf, expand } from "../../../src/proof/agent/environment-variables.ts";
import type { Container, Pod } from "../../../src/proof/agent/objects.ts";

describe("files of a volume", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "circl-volume-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (files: Record<string, string>, mode = 0o644, group?: number) =>
    writeAtomically(
      folder,
      new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])),
      mode,
      group,
    );
  const read = (path: string) => readFileSync(join(folder, path), "utf8");

  test("lie behind one link, which is replaced as a whole", () => {
    write({ "a.conf": "1", "b.conf": "1" });
    expect(readlinkSync(join(folder, "a.conf"))).toBe("..data/a.conf");
    const before = readlinkSync(join(folder, "..data"));
    write({ "a.conf": "2", "c.conf": "2" });
    expect([read("a.conf"), read("c.conf")]).toEqual(["2", "2"]);
    expect(readlinkSync(join(folder, "..data"))).not.toBe(before);
    const names = readdirSync(folder).filter((name) => !name.startsWith("..version_"));
    expect(names.sort()).toEqual(["..data", "a.conf", "c.conf"]);
    expect(readdirSync(folder).filter((name) => name.startsWith("..version_"))).toHaveLength(1);
  });

  test("can be read by the group of the pod where their owner can", () => {
    write({ secret: "x" }, 0o400, process.getgid?.());
    expect(statSync(join(folder, "secret")).mode & 0o777).toBe(0o440);
  });
});

describe("variables", () => {
  const pod: Pod = {
    metadata: { name: "nats-0", namespace: "home", uid: "1", resourceVersion: "1", labels: { app: "nats" } },
    spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 1, containers: [] },
    status: { phase: "Pending", podIP: "10.0.0.2" },
  };
  const none = { values: () => [], find: () => undefined };
  const container = (env: Container["env"]): Container => ({ name: "c", image: "i", ...(env ? { env } : {}) });

  test("refer to fields and to what came before", () => {
    const env = [
      { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "HOME", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "SERVER", value: "$(HOME)-$(POD) $(LATER) $$(POD)" },
      { name: "LATER", value: "x" },
    ];
    expect(environmentOf(container(env), pod, none)).toEqual({
      POD: "nats-0",
      HOME: "home",
      IP: "10.0.0.2",
      SERVER: "home-nats-0 $(LATER) $(POD)",
      LATER: "x",
    });
  });

  test("wait for a Secret that is not there, unless they can do without", () => {
    const ref = { name: "auth", key: "password" };
    const wants = (optional?: boolean) =>
      container([{ name: "P", valueFrom: { secretKeyRef: { ...ref, ...(optional ? { optional } : {}) } } }]);
    expect(() => environmentOf(wants(), pod, none)).toThrow(/^the variable P of c has no value: .*"auth"/);
    expect(environmentOf(wants(true), pod, none)).toEqual({});
  });

  test("that refer to what is no text in the object are refused", () => {
    const env = [{ name: "P", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }];
    expect(() => environmentOf(container(env), pod, none)).toThrow(/^the variable P of c has no value/);
  });

  test("are put into arguments, and what is unknown stays", () => {
    expect(expand("--name=$(A) $(B)", { A: "x" })).toBe("--name=x $(B)");
  });
});
