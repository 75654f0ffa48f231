import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { tool, without } from "../support/tools.ts";

/** Renders as External Secrets would. */
const render = (template: Record<string, string>, data: Record<string, string>) =>
  spawnSync(tool("secret-template"), { input: JSON.stringify({ template, data }), encoding: "utf8" });

describe.skipIf(without("secret-template"))("templates of Secrets", () => {
  test("are rendered with sprig, and quoted as nats-server reads it", () => {
    const { stdout, status } = render({ "auth.conf": "password: {{ .current | quote }}" }, { current: '12345<&"' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ "auth.conf": 'password: "12345<&\\""' });
  });

  test("fail for a property that the store does not have, and write nothing", () => {
    const { stdout, stderr, status } = render({ "auth.conf": "{{ .previous }}" }, { current: "x" });
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
    expect(stderr).toContain(
      'auth.conf: template: auth.conf:1:3: executing "auth.conf" at <.previous>: map has no entry',
    );
  });
});
